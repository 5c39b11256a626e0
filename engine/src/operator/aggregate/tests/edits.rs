//! Queries that are edited between two runs: what they go on from, by the definition.

use std::collections::BTreeMap;
use std::ops::Range;

use rand::Rng;
use rand::seq::SliceRandom;

use crate::graph::AggregateFunction::{Count, Max, Min, Sum};
use crate::graph::{
    AggregateCall, BackendKind, DataTypeSpec, GroupAggregateSpec, OperatorSpec,
    WindowAggregateSpec, WindowKind, WindowSpec, WindowTime,
};
use crate::operator::aggregate::{
    output_schema_group, output_schema_window, partial_schema_group, partial_schema_window,
};
use crate::operator::testing::model::{
    self, Row, Rows, assert_same, batch_of, call, calls, chrono_text, evaluate,
};
use crate::operator::testing::pipeline::Pipeline;
use crate::operator::testing::{batch, data_type};
use crate::operator::window::Windows;
use crate::operator::{Continuity, continuity, restored_layouts};

mod on_disk;

/// The calls of a query, each with the number of the first row that it has seen.
#[derive(Debug, Clone)]
struct Calls(Vec<(AggregateCall, usize)>);

impl Calls {
    fn some(random: &mut Rows) -> Self {
        let mut all = calls();
        all.shuffle(&mut random.random);
        all.truncate(random.random.random_range(1..9));
        Calls(all.into_iter().map(|call| (call, 0)).collect())
    }

    /// Takes some out, puts others in unless rows are taken back, and changes the order.
    fn edit(&mut self, random: &mut Rows, updating: bool, now: usize) {
        let before = self.specs();
        self.0.retain(|_| random.random.random_ratio(3, 4));
        for call in calls() {
            let known = before.contains(&call);
            if !known && !updating && random.random.random_ratio(1, 8) {
                self.0.push((call, now));
            }
        }
        self.0.shuffle(&mut random.random);
    }

    fn specs(&self) -> Vec<AggregateCall> {
        self.0.iter().map(|(call, _)| call.clone()).collect()
    }

    fn results(&self, rows: &[&(usize, Row)]) -> Vec<String> {
        let result = |(call, since): &(AggregateCall, usize)| {
            let seen = rows.iter().filter(|(number, _)| number >= since);
            let seen: Vec<&Row> = seen.map(|(_, row)| row).collect();
            evaluate(call, &seen)
        };
        self.0.iter().map(result).collect()
    }
}

fn group_spec(keys: Vec<usize>, updating: bool, calls: &Calls) -> GroupAggregateSpec {
    GroupAggregateSpec {
        keys,
        aggregates: calls.specs(),
        input: model::input().into(),
        input_updating: updating,
        partial_input: false,
        emit_update_before: true,
        ttl_ms: 0,
    }
}

fn group_pipeline(mut spec: GroupAggregateSpec, local: bool) -> Pipeline {
    let output = output_schema_group(&spec).unwrap();
    let (keys, input) = (spec.keys.clone(), spec.input.0.clone());
    if !local {
        let global = OperatorSpec::GroupAggregate(spec);
        return Pipeline::new(None, global, input, output, keys);
    }
    let partial = partial_schema_group(&spec).unwrap();
    let first = OperatorSpec::LocalGroupAggregate(spec.clone());
    spec.partial_input = true;
    let global = OperatorSpec::GroupAggregate(spec);
    let keys = (0..keys.len()).collect();
    Pipeline::new(Some((first, partial)), global, input, output, keys)
}

fn group_rows(keys: &[usize], calls: &Calls, rows: &[(usize, Row)]) -> Vec<String> {
    let mut groups: BTreeMap<Vec<String>, Vec<&(usize, Row)>> = BTreeMap::new();
    for row in rows {
        let key = keys.iter().map(|k| row.1.cells[*k].clone()).collect();
        groups.entry(key).or_default().push(row);
    }
    let line = |(key, rows): (&Vec<String>, &Vec<&(usize, Row)>)| {
        let cells = key.iter().cloned().chain(calls.results(rows));
        cells.collect::<Vec<_>>().join(" | ")
    };
    groups.iter().map(line).collect()
}

fn backend(random: &mut Rows, on_disk: bool) -> BackendKind {
    match on_disk.then(|| random.random.random_range(0..4)) {
        Some(0) => BackendKind::RocksDb,
        Some(1) => BackendKind::Disk,
        _ => BackendKind::Memory,
    }
}

fn random_groups(seed: u64, keys: &[usize], updating: bool, local: bool, rocksdb: bool) {
    let mut random = Rows::new(seed);
    let mut calls = Calls::some(&mut random);
    let spec = |calls: &Calls, ttl_ms| GroupAggregateSpec {
        ttl_ms,
        ..group_spec(keys.to_vec(), updating, calls)
    };
    let mut pipeline = group_pipeline(spec(&calls, 0), local);
    let (mut present, mut number): (Vec<(usize, Row)>, usize) = (vec![], 0);
    for step in 0..18 {
        let mut rows = vec![];
        for _ in 0..random.random.random_range(1..16) {
            if updating && !present.is_empty() && random.random.random_ratio(2, 5) {
                let at = random.random.random_range(0..present.len());
                let (_, mut row) = present.swap_remove(at);
                row.retracts = true;
                rows.push(row);
            } else {
                let time = random.random.random_range(0..9);
                let row = random.row(Some(time));
                present.push((number, row.clone()));
                rows.push(row);
                number += 1;
            }
        }
        pipeline.process(batch_of(&rows));
        let place = format!("seed {seed}, step {step}, {calls:?}");
        assert_same(
            pipeline.result(),
            group_rows(keys, &calls, &present),
            &place,
        );
        let parallelism = random.random.random_range(1..5);
        let backend = backend(&mut random, rocksdb);
        match step % 3 {
            0 => pipeline.rescale(parallelism, backend),
            1 => {
                let mut edited = calls.clone();
                edited.edit(&mut random, updating, number);
                if edited.0.is_empty() {
                    continue;
                }
                calls = edited;
                // Rows come to have stamps, and lose them again.
                let ttl_ms = random.random.random_range(0..2) << 50;
                let baseline = group_rows(keys, &calls, &present);
                let other = group_pipeline(spec(&calls, ttl_ms), local);
                pipeline.edit(other, parallelism, backend, baseline);
            }
            _ => {}
        }
    }
}

#[test]
fn group_aggregations_go_on_as_edited() {
    for seed in 0..12 {
        for keys in [&[][..], &[0], &[1, 0]] {
            for local in [false, true] {
                random_groups(seed, keys, false, local, seed % 4 == 0);
            }
        }
    }
}

#[test]
fn group_aggregations_over_updates_go_on_as_edited() {
    for seed in 100..115 {
        for keys in [&[0][..], &[1, 0]] {
            random_groups(seed, keys, true, false, seed % 3 == 0);
        }
    }
}

fn window_pipeline(kind: WindowKind, updating: bool, calls: &Calls, local: bool) -> Pipeline {
    let mut spec = WindowAggregateSpec {
        window: WindowSpec {
            kind,
            time: WindowTime::Event { column: 8 },
            time_type: DataTypeSpec(data_type("TIMESTAMP")),
        },
        keys: vec![0],
        aggregates: calls.specs(),
        input: model::input().into(),
        input_updating: updating,
        partial_input: false,
        allowed_lateness_ms: 0,
        early_fire_ms: None,
    };
    let output = output_schema_window(&spec).unwrap();
    let input = spec.input.0.clone();
    if !local {
        let global = OperatorSpec::WindowAggregate(spec);
        return Pipeline::new(None, global, input, output, vec![0]);
    }
    let partial = partial_schema_window(&spec).unwrap();
    let first = OperatorSpec::LocalWindowAggregate(spec.clone());
    spec.partial_input = true;
    let global = OperatorSpec::WindowAggregate(spec);
    Pipeline::new(Some((first, partial)), global, input, output, vec![0])
}

/// The results of the windows whose end is in `ends`.
fn window_rows(
    kind: WindowKind,
    calls: &Calls,
    rows: &[(usize, Row)],
    ends: Range<i64>,
) -> Vec<String> {
    let time = |row: &&(usize, Row)| row.1.time.unwrap();
    let mut windows: BTreeMap<(String, i64, i64), Vec<&(usize, Row)>> = BTreeMap::new();
    let mut by_key: BTreeMap<String, Vec<&(usize, Row)>> = BTreeMap::new();
    for row in rows {
        by_key.entry(row.1.cells[0].clone()).or_default().push(row);
    }
    for (key, mut rows) in by_key {
        rows.sort_by_key(|row| time(row));
        if let WindowKind::Session { gap_ms } = kind {
            for session in rows.chunk_by(|a, b| time(b) - time(a) <= gap_ms) {
                let (first, last) = (time(&session[0]), time(session.last().unwrap()));
                windows.insert((key.clone(), first, last + gap_ms), session.to_vec());
            }
            continue;
        }
        let shape = Windows::new(&kind).unwrap();
        for row in rows {
            for end in shape.window_ends(shape.slice_end(time(&row))) {
                let window = (key.clone(), shape.start(end), end);
                windows.entry(window).or_default().push(row);
            }
        }
    }
    let line = |((key, start, end), rows): (&(String, i64, i64), &Vec<&(usize, Row)>)| {
        let times = [*start, *end, end - 1].map(chrono_text);
        let cells = std::iter::once(key.clone()).chain(calls.results(rows));
        cells.chain(times).collect::<Vec<_>>().join(" | ")
    };
    let due = |((.., end), _): &(&(String, i64, i64), _)| ends.contains(end);
    windows.iter().filter(due).map(line).collect()
}

fn random_windows(seed: u64, kind: WindowKind, updating: bool, local: bool) {
    let mut random = Rows::new(seed);
    let mut calls = Calls::some(&mut random);
    let mut pipeline = window_pipeline(kind, updating, &calls, local);
    let (mut all, mut number): (Vec<(usize, Row)>, usize) = (vec![], 0);
    for _ in 0..8 {
        let mut rows = vec![];
        for _ in 0..random.random.random_range(1..16) {
            if updating && !all.is_empty() && random.random.random_ratio(1, 4) {
                let (_, mut row) = all.swap_remove(0);
                row.retracts = true;
                rows.push(row);
                continue;
            }
            let time = random.random.random_range(0..60);
            let row = random.row(Some(time));
            all.push((number, row.clone()));
            rows.push(row);
            number += 1;
        }
        pipeline.process(batch_of(&rows));
        let mut edited = calls.clone();
        edited.edit(&mut random, updating, number);
        if !edited.0.is_empty() {
            calls = edited;
            let other = window_pipeline(kind, updating, &calls, local);
            let parallelism = random.random.random_range(1..5);
            let backend = backend(&mut random, seed.is_multiple_of(3));
            pipeline.edit(other, parallelism, backend, vec![]);
        }
    }
    let place = format!("seed {seed} of {kind:?}, {calls:?}");
    let expected = window_rows(kind, &calls, &all, i64::MIN..i64::MAX);
    assert_same(pipeline.finish(), expected, &place);
}

#[test]
fn window_aggregations_go_on_as_edited() {
    let kinds = [
        WindowKind::Tumble {
            size_ms: 10,
            offset_ms: 3,
        },
        WindowKind::Hop {
            slide_ms: 4,
            size_ms: 12,
            offset_ms: 0,
        },
        WindowKind::Cumulate {
            step_ms: 5,
            size_ms: 20,
            offset_ms: 0,
        },
        WindowKind::Session { gap_ms: 4 },
    ];
    for (seed, kind) in (200..209).flat_map(|s| kinds.map(|k| (s, k))) {
        let session = matches!(kind, WindowKind::Session { .. });
        random_windows(seed, kind, false, seed % 2 == 0 && !session);
        if !session {
            random_windows(seed, kind, true, false);
        }
    }
}

/// Rows of checkpoints that were written before rows named their layout, then some that do.
#[test]
fn rows_that_name_no_layout_are_those_of_the_same_query() {
    for seed in 300..308 {
        for updating in [false, true] {
            let mut random = Rows::new(seed);
            let mut calls = Calls::some(&mut random);
            let keys = [0];
            let mut pipeline = group_pipeline(group_spec(keys.to_vec(), updating, &calls), false);
            let mut all: Vec<(usize, Row)> = vec![];
            let mut process = |pipeline: &mut Pipeline, calls: &Calls, all: &mut Vec<_>| {
                let rows: Vec<Row> = (0..20).map(|_| random.row(Some(1))).collect();
                let numbered = rows.iter().cloned().map(|row| (all.len(), row));
                let numbered: Vec<(usize, Row)> = numbered.collect();
                all.extend(numbered);
                pipeline.process(batch_of(&rows));
                let place = format!("seed {seed}, {calls:?}");
                assert_same(pipeline.result(), group_rows(&keys, calls, all), &place);
            };
            process(&mut pipeline, &calls, &mut all);
            pipeline.go_on_from_unnamed(3, BackendKind::RocksDb);
            process(&mut pipeline, &calls, &mut all);
            pipeline.rescale(2, BackendKind::Memory);
            process(&mut pipeline, &calls, &mut all);
            calls.0.reverse();
            let baseline = group_rows(&keys, &calls, &all);
            let spec = group_spec(keys.to_vec(), updating, &calls);
            pipeline.edit(
                group_pipeline(spec, false),
                3,
                BackendKind::RocksDb,
                baseline,
            );
            process(&mut pipeline, &calls, &mut all);
        }
    }
}

/// Values that only calls that are gone have seen go from state, not from sight alone.
#[test]
fn what_gone_calls_have_left_is_deleted() {
    for backend in [BackendKind::Memory, BackendKind::Disk, BackendKind::RocksDb] {
        let filtered = |filter| call(Count, true, Some(1), Some(filter), "BIGINT");
        let before = vec![
            filtered(6),
            filtered(7),
            call(Count, true, Some(2), None, "BIGINT"),
        ];
        let since = |calls: Vec<AggregateCall>| Calls(calls.into_iter().map(|c| (c, 0)).collect());
        let calls = since(before.clone());
        let mut pipeline = group_pipeline(group_spec(vec![0], false, &calls), false);
        pipeline.rescale(2, backend);
        // `b` is column 6 and `c` column 7: 10 values for the first, 30 for the second.
        let row = |n: i64| {
            let (b, c) = (n < 10, n >= 10);
            format!("+I | {} | x{n} | {n} | 1 | 1 | 1 | {b} | {c} | NULL", n % 3)
        };
        let rows: Vec<String> = (0..40).map(row).collect();
        pipeline.process(batch(&model::input(), &rows.join("\n")));
        let entries = |pipeline: &mut Pipeline, table| {
            let files = pipeline.checkpoint();
            crate::state::fixture::table_of(&files, table).len()
        };
        assert_eq!(entries(&mut pipeline, 16), 40);
        assert_eq!(entries(&mut pipeline, 17), 40);
        let calls = since(vec![filtered(7)]);
        let spec = group_spec(vec![0], false, &calls);
        pipeline.edit(group_pipeline(spec, false), 3, backend, vec![]);
        assert_eq!(entries(&mut pipeline, 16), 30);
        assert_eq!(entries(&mut pipeline, 17), 0);
        assert_eq!(entries(&mut pipeline, 1), 3);
    }
}

/// A time to live that comes later counts from then, whatever restarts come in between.
#[test]
fn groups_expire_from_when_they_began_to() {
    for backend in [BackendKind::Memory, BackendKind::Disk, BackendKind::RocksDb] {
        let calls = Calls(vec![(call(Count, false, None, None, "BIGINT"), 0)]);
        let spec = group_spec(vec![0], false, &calls);
        let mut pipeline = group_pipeline(spec.clone(), false);
        let row = |k: i64| {
            let line = format!("+I | {k} | x | 1 | 1 | 1 | 1 | true | true | NULL");
            batch(&model::input(), &line)
        };
        (1..4).for_each(|k| pipeline.process(row(k)));
        pipeline.now_ms = 5_000;
        let expiring = GroupAggregateSpec {
            ttl_ms: 1000,
            ..spec
        };
        let lines = |n: &[(i64, i64)]| n.iter().map(|(k, n)| format!("{k} | {n}")).collect();
        let baseline: Vec<String> = lines(&[(1, 1), (2, 1), (3, 1)]);
        pipeline.edit(group_pipeline(expiring, false), 2, backend, baseline);
        pipeline.now_ms = 5_600;
        pipeline.process(row(1));
        pipeline.rescale(3, backend);
        pipeline.now_ms = 5_900;
        pipeline.process(row(2));
        pipeline.rescale(1, backend);
        assert_eq!(pipeline.result(), ["1 | 2", "2 | 2", "3 | 1"]);
        // 1 was touched at 5600, 2 at 5900, and 3 counts as touched at 5000.
        pipeline.now_ms = 6_001;
        pipeline.lines.clear();
        (1..4).for_each(|k| pipeline.process(row(k)));
        let lines = [
            "-U | 1 | 2",
            "+U | 1 | 3",
            "-U | 2 | 2",
            "+U | 2 | 3",
            "+I | 3 | 1",
        ];
        assert_eq!(pipeline.lines, lines, "on {backend:?}");
    }
}

fn found(before: &[AggregateCall], after: &GroupAggregateSpec) -> Continuity {
    let calls = Calls(before.iter().map(|c| (c.clone(), 0)).collect());
    let before = OperatorSpec::GroupAggregate(group_spec(vec![0], false, &calls));
    let layouts = continuity(&before, &[], 0).unwrap().layouts;
    continuity(&OperatorSpec::GroupAggregate(after.clone()), &layouts, 0).unwrap()
}

#[test]
fn what_does_not_fit_is_said() {
    let sum = call(Sum, false, Some(2), None, "BIGINT");
    let min = call(Min, false, Some(3), None, "INT");
    let with = |calls: &[AggregateCall]| {
        let calls = Calls(calls.iter().map(|c| (c.clone(), 0)).collect());
        group_spec(vec![0], false, &calls)
    };
    let same = found(
        &[sum.clone(), min.clone()],
        &with(&[min.clone(), sum.clone()]),
    );
    assert_eq!(same.layouts.len(), 2, "another order is another layout");
    assert!(same.new.is_empty() && same.gone.is_empty() && same.changed.is_empty());
    let unchanged = found(
        std::slice::from_ref(&sum),
        &with(std::slice::from_ref(&sum)),
    );
    assert_eq!(unchanged.layouts.len(), 1);
    // A wider integer has all values of the narrower; the other way is refused.
    let mut wide = call(Min, false, Some(2), None, "BIGINT");
    wide.identity.clone_from(&min.identity);
    let widened = found(
        std::slice::from_ref(&min),
        &with(std::slice::from_ref(&wide)),
    );
    assert!(widened.changed.is_empty(), "{:?}", widened.changed);
    let narrowed = found(&[wide], &with(std::slice::from_ref(&min)));
    assert_eq!(
        narrowed.changed,
        ["Min(Some(3)), which was over BIGINT and is over INT"]
    );
    // Keys.
    let by_text = GroupAggregateSpec {
        keys: vec![1],
        ..with(std::slice::from_ref(&sum))
    };
    let other = found(std::slice::from_ref(&sum), &by_text);
    assert_eq!(other.unusable, ["its key s was of BIGINT and is of STRING"]);
    let updating = GroupAggregateSpec {
        input_updating: true,
        ..with(std::slice::from_ref(&sum))
    };
    let other = found(std::slice::from_ref(&sum), &updating);
    assert_eq!(
        other.unusable,
        ["its input was never taken back and now is"]
    );
}

/// State of a call that has been out of the query for a while does not come back with it.
#[test]
fn a_call_that_comes_back_begins_anew() {
    let sum = call(Sum, false, Some(2), None, "BIGINT");
    let set = call(Max, false, Some(2), None, "BIGINT");
    let spec = |calls: &[AggregateCall]| {
        let calls = Calls(calls.iter().map(|c| (c.clone(), 0)).collect());
        OperatorSpec::GroupAggregate(group_spec(vec![0], true, &calls))
    };
    let both = spec(&[sum.clone(), set]);
    let mut layouts = continuity(&both, &[], 0).unwrap().layouts;
    layouts = continuity(&spec(&[sum]), &layouts, 0).unwrap().layouts;
    let last = continuity(&both, &layouts, 0).unwrap();
    assert_eq!(last.new, ["Max(Some(2))"]);
    let ids: Vec<u32> = last.layouts.iter().map(|l| l.id).collect();
    assert_eq!(ids, [2, 3, 4]);
    let slots = |at: usize| -> Vec<u32> { last.layouts[at].calls.iter().map(|c| c.slot).collect() };
    assert_eq!(
        (slots(0), slots(1), slots(2)),
        (vec![0, 1], vec![0], vec![0, 2])
    );
    // Written down and read back.
    let text = serde_json::to_string(&last.layouts).unwrap();
    let read: Vec<crate::operator::Layout> = serde_json::from_str(&text).unwrap();
    assert_eq!(read, last.layouts);
    assert_eq!(restored_layouts(&both, &read, true).unwrap(), read);
}
