#![allow(clippy::unwrap_used)]
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, new_null_array};
use arrow::datatypes::Field;
use rand::Rng;

use crate::element::Batch;
use crate::graph::AggregateFunction::{Count, Max, Min, Sum};
use crate::graph::{BackendKind, GroupAggregateSpec, OperatorSpec};
use crate::operator::aggregate::{output_schema_group, partial_schema_group, supports_local_group};
use crate::operator::testing::batch;
use crate::operator::testing::model::{self, Row, Rows, assert_same, batch_of, calls, evaluate};
use crate::operator::testing::pipeline::Pipeline;

fn spec(keys: Vec<usize>, updating: bool) -> GroupAggregateSpec {
    GroupAggregateSpec {
        keys,
        aggregates: calls(),
        input: model::input().into(),
        input_updating: updating,
        partial_input: false,
        emit_update_before: true,
        ttl_ms: 0,
    }
}

fn pipeline(mut spec: GroupAggregateSpec, local: bool) -> Pipeline {
    let output = output_schema_group(&spec).unwrap();
    if !local {
        let keys = spec.keys.clone();
        let input = spec.input.0.clone();
        return Pipeline::new(
            None,
            OperatorSpec::GroupAggregate(spec),
            input,
            output,
            keys,
        );
    }
    let partial = partial_schema_group(&spec).unwrap();
    let first = OperatorSpec::LocalGroupAggregate(spec.clone());
    spec.partial_input = true;
    let keys = (0..spec.keys.len()).collect();
    let input = spec.input.0.clone();
    let global = OperatorSpec::GroupAggregate(spec);
    Pipeline::new(Some((first, partial)), global, input, output, keys)
}

fn naive(spec: &GroupAggregateSpec, rows: &[Row]) -> Vec<String> {
    let mut groups: BTreeMap<Vec<String>, Vec<&Row>> = BTreeMap::new();
    if spec.keys.is_empty() {
        groups.insert(vec![], vec![]);
    }
    for row in rows {
        let key = spec.keys.iter().map(|k| row.cells[*k].clone()).collect();
        groups.entry(key).or_default().push(row);
    }
    let line = |(key, rows): (&Vec<String>, &Vec<&Row>)| {
        let results = spec.aggregates.iter().map(|c| evaluate(c, rows));
        key.iter()
            .cloned()
            .chain(results)
            .collect::<Vec<_>>()
            .join(" | ")
    };
    groups.iter().map(line).collect()
}

/// Random batches, with retractions of rows that are there if `updating`, through subtasks that
/// change in number and backend at barriers.
fn random_run(seed: u64, spec: &GroupAggregateSpec, local: bool, rocksdb: bool) {
    let mut random = Rows::new(seed);
    let mut pipeline = pipeline(spec.clone(), local);
    if !spec.emit_update_before {
        pipeline = pipeline.upsert(spec.keys.len());
    }
    let mut present: Vec<Row> = vec![];
    for step in 0..12 {
        let mut rows = vec![];
        for _ in 0..random.random.random_range(0..20) {
            if spec.input_updating && !present.is_empty() && random.random.random_ratio(2, 5) {
                let at = random.random.random_range(0..present.len());
                let mut row = present.swap_remove(at);
                row.retracts = true;
                rows.push(row);
            } else {
                let time = random.random.random_range(0..9);
                let row = random.row(Some(time));
                present.push(row.clone());
                rows.push(row);
            }
        }
        pipeline.process(batch_of(&rows));
        if step % 3 == 2 {
            // In memory, on disk twice, and in memory again.
            let backend = match rocksdb && step < 8 {
                true if step < 5 => BackendKind::Disk,
                true => BackendKind::RocksDb,
                false => BackendKind::Memory,
            };
            pipeline.rescale(random.random.random_range(1..5), backend);
        }
        if !present.is_empty() || !spec.keys.is_empty() {
            let place = format!("seed {seed}, step {step}");
            assert_same(pipeline.result(), naive(spec, &present), &place);
        }
    }
    assert_same(
        pipeline.finish(),
        naive(spec, &present),
        &format!("seed {seed}"),
    );
}

#[test]
fn append_only_input_equals_the_definition() {
    for seed in 0..8 {
        for keys in [vec![], vec![0], vec![1], vec![1, 0], vec![4, 6]] {
            for local in [false, true] {
                random_run(seed, &spec(keys.clone(), false), local, seed < 3);
            }
        }
    }
}

#[test]
fn updating_input_equals_the_definition() {
    for seed in 100..112 {
        for keys in [vec![], vec![0], vec![1, 0]] {
            random_run(seed, &spec(keys.clone(), true), false, seed % 2 == 0);
        }
    }
}

#[test]
fn updating_input_with_a_local_phase_equals_the_definition() {
    for seed in 200..208 {
        for keys in [vec![], vec![1], vec![0, 7]] {
            let mut spec = spec(keys, true);
            assert!(!supports_local_group(&spec).unwrap());
            spec.aggregates.retain(|c| {
                !c.distinct
                    && matches!(
                        c.function,
                        Count | Sum | crate::graph::AggregateFunction::Avg
                    )
            });
            assert!(supports_local_group(&spec).unwrap());
            random_run(seed, &spec, true, seed == 200);
        }
    }
}

#[test]
fn without_update_before_rows_replace_one_another() {
    for seed in 300..304 {
        for updating in [false, true] {
            let mut spec = spec(vec![0], updating);
            spec.emit_update_before = false;
            random_run(seed, &spec, false, seed % 2 == 0);
        }
    }
}

#[test]
fn distinct_emits_each_key_once_and_takes_it_back_with_its_last_row() {
    let mut spec = spec(vec![1], true);
    spec.aggregates.clear();
    let mut pipeline = pipeline(spec, false);
    let row =
        |kind: &str, s: &str| format!("{kind} | 1 | {s} | 1 | 1 | 1 | 1 | true | true | NULL");
    let rows = [row("+I", "x"), row("+I", "NULL"), row("+I", "x")].join("\n");
    pipeline.process(batch(&model::input(), &rows));
    pipeline.process(batch(&model::input(), &row("-D", "x")));
    pipeline.process(batch(&model::input(), &row("-D", "x")));
    pipeline.process(batch(&model::input(), &row("+I", "x")));
    assert_eq!(pipeline.lines, ["+I | x", "+I | NULL", "-D | x", "+I | x"]);
}

#[test]
fn updates_come_in_pairs_and_only_when_something_changed() {
    let mut spec = spec(vec![0], false);
    spec.aggregates = vec![model::call(Max, false, Some(2), None, "BIGINT")];
    let mut pipeline = pipeline(spec, false);
    let row = |v: i64| format!("+I | 1 | x | {v} | 1 | 1 | 1 | true | true | NULL");
    for v in [5, 3, 7] {
        pipeline.process(batch(&model::input(), &row(v)));
    }
    assert_eq!(pipeline.lines, ["+I | 1 | 5", "-U | 1 | 5", "+U | 1 | 7"]);
}

#[test]
fn a_sum_that_overflows_is_an_error_but_not_when_it_comes_back() {
    let mut spec = spec(vec![0], false);
    spec.aggregates = vec![model::call(Sum, false, Some(2), None, "BIGINT")];
    let row = |v: i64| format!("+I | 1 | x | {v} | 1 | 1 | 1 | true | true | NULL");
    for local in [false, true] {
        let mut fits = pipeline(spec.clone(), local);
        let rows = [row(i64::MAX), row(5), row(-5)].join("\n");
        fits.process(batch(&model::input(), &rows));
        assert_eq!(fits.result(), [format!("1 | {}", i64::MAX)]);
    }
    let state = crate::state::create(crate::state::StateSetup {
        kind: BackendKind::Memory,
        key_groups: crate::key::KeyGroupRange::all(128),
        scratch: std::path::Path::new("unused"),
        checkpointed: true,
        restored: Default::default(),
        resources: &crate::state::Resources::new(crate::memory::Memory::new(1 << 20)),
    });
    let context = crate::operator::OperatorContext {
        state: Some(state.unwrap()),
        ..crate::operator::testing::context()
    };
    let output = output_schema_group(&spec).unwrap();
    let input = [spec.input.0.clone()];
    let spec = OperatorSpec::GroupAggregate(spec);
    let mut operator = crate::operator::build(&spec, &input, &output, context).unwrap();
    let rows = [row(i64::MAX), row(1)].join("\n");
    let mut out = crate::operator::Output::default();
    let error = operator
        .process(0, batch(&model::input(), &rows), 0, &mut out)
        .unwrap_err();
    assert_eq!(error.kind, crate::ErrorKind::Data);
    assert!(error.message.contains("overflows"), "{error}");
}

#[test]
fn a_group_that_nobody_touches_is_forgotten() {
    for backend in [None, Some(BackendKind::Memory), Some(BackendKind::RocksDb)] {
        let mut spec = spec(vec![0], false);
        spec.ttl_ms = 1000;
        spec.aggregates = vec![
            model::call(Count, false, None, None, "BIGINT"),
            model::call(Count, true, Some(1), None, "BIGINT"),
        ];
        let mut pipeline = pipeline(spec, false);
        let row = |k: i64, s: &str| {
            batch(
                &model::input(),
                &format!("+I | {k} | {s} | 1 | 1 | 1 | 1 | true | true | NULL"),
            )
        };
        pipeline.process(row(1, "x"));
        pipeline.process(row(2, "x"));
        pipeline.advance_clock(999);
        pipeline.process(row(1, "y"));
        if let Some(backend) = backend {
            pipeline.rescale(3, backend);
        }
        pipeline.advance_clock(1500);
        pipeline.process(row(1, "y"));
        pipeline.lines.clear();
        pipeline.process(row(2, "x"));
        assert_eq!(pipeline.lines, ["+I | 2 | 1 | 1"], "2 begins anew");
        if let Some(backend) = backend {
            pipeline.rescale(1, backend);
        }
        pipeline.process(row(1, "z"));
        assert_eq!(pipeline.lines[1..], ["-U | 1 | 3 | 2", "+U | 1 | 4 | 3"]);
    }
}

#[test]
fn an_empty_input_has_an_answer_without_keys_once() {
    let mut spec = spec(vec![], false);
    spec.aggregates = vec![
        model::call(Count, false, None, None, "BIGINT"),
        model::call(Sum, false, Some(2), None, "BIGINT"),
    ];
    for local in [false, true] {
        let mut pipeline = pipeline(spec.clone(), local);
        pipeline.rescale(3, BackendKind::RocksDb);
        assert_eq!(pipeline.finish(), ["0 | NULL"]);
    }
}

/// What has expired goes from disk too, entries of distinct sets included.
#[test]
fn expired_groups_are_swept_from_disk() {
    let mut spec = spec(vec![0], false);
    spec.ttl_ms = 1000;
    spec.aggregates = vec![model::call(Count, true, Some(1), None, "BIGINT")];
    let mut pipeline = pipeline(spec, false);
    pipeline.rescale(2, BackendKind::RocksDb);
    let rows = |keys: Range<i64>| {
        let row = |k: i64| format!("+I | {k} | x{k} | 1 | 1 | 1 | 1 | true | true | NULL");
        keys.map(row).collect::<Vec<_>>().join("\n")
    };
    pipeline.process(batch(&model::input(), &rows(0..100)));
    let entries = |pipeline: &mut Pipeline| {
        let files = pipeline.checkpoint();
        crate::state::fixture::entries_of(&files).len()
    };
    assert_eq!(entries(&mut pipeline), 200);
    pipeline.now_ms = 900;
    pipeline.process(batch(&model::input(), &rows(0..10)));
    // One key group at a time.
    for tick in 0..40 {
        pipeline.advance_clock(2000 + tick * 200);
    }
    assert_eq!(entries(&mut pipeline), 0);
}

/// One percent of the groups changes: the next checkpoint writes about that much, not everything.
#[test]
fn a_delta_has_what_has_changed() {
    let mut spec = spec(vec![0], false);
    spec.aggregates = vec![
        model::call(Count, false, None, None, "BIGINT"),
        model::call(Sum, false, Some(2), None, "BIGINT"),
    ];
    let mut pipeline = pipeline(spec, false);
    let rows = |keys: Range<i64>| {
        let row = |k: i64| format!("+I | {k} | x | {k} | 1 | 1 | 1 | true | true | NULL");
        batch(
            &model::input(),
            &keys.map(row).collect::<Vec<_>>().join("\n"),
        )
    };
    for start in (0..20_000).step_by(1000) {
        pipeline.process(rows(start..start + 1000));
    }
    let full = pipeline.checkpoint().pop().unwrap().len();
    pipeline.process(rows(0..200));
    let delta = pipeline.checkpoint().pop().unwrap().len();
    assert!(delta * 100 < full * 3, "{delta} of {full} bytes");
}

/// One group with more values than fit: its extremes are taken back one after the other.
#[test]
fn extremes_are_looked_up_on_disk() {
    let mut spec = spec(vec![0], true);
    spec.aggregates = vec![
        model::call(Min, false, Some(2), None, "BIGINT"),
        model::call(Max, false, Some(2), None, "BIGINT"),
        model::call(Max, false, Some(4), None, "DECIMAL"),
        model::call(Min, false, Some(1), None, "STRING"),
        model::call(Max, false, Some(1), Some(6), "STRING"),
    ];
    let mut pipeline = pipeline(spec, false);
    pipeline.memory_bytes = 1 << 21;
    pipeline.rescale(1, BackendKind::RocksDb);
    let value = |n: i64| n * 7919 % 10_000 - 5000;
    let text = |v: i64| format!("{}{v}", "x".repeat((v % 3).unsigned_abs() as usize));
    let rows = |kind: &str, values: &[i64]| {
        let line = |v: &i64| {
            format!(
                "{kind} | 1 | {} | {v} | 1 | {v} | 1 | {} | true | NULL",
                text(*v),
                v % 2 == 0
            )
        };
        batch(
            &model::input(),
            &values.iter().map(line).collect::<Vec<_>>().join(
                "
",
            ),
        )
    };
    let mut present: BTreeSet<i64> = BTreeSet::new();
    let most = Cell::new(0);
    let check = |pipeline: &mut Pipeline, present: &BTreeSet<i64>| {
        most.set(most.get().max(pipeline.held_bytes()));
        let (least, greatest) = (present.first().unwrap(), present.last().unwrap());
        let texts: BTreeSet<String> = present.iter().map(|v| text(*v)).collect();
        let even: BTreeSet<String> = present
            .iter()
            .filter(|v| *v % 2 == 0)
            .map(|v| text(*v))
            .collect();
        let (first, last) = (texts.first().unwrap(), even.last().unwrap());
        let expected = format!("1 | {least} | {greatest} | {greatest}.00 | {first} | {last}");
        assert_eq!(pipeline.result(), [expected]);
    };
    for chunk in (0..10_000).map(value).collect::<Vec<_>>().chunks(500) {
        pipeline.process(rows("+I", chunk));
        present.extend(chunk);
        check(&mut pipeline, &present);
    }
    for _ in 0..8 {
        let low: Vec<i64> = present.iter().take(200).copied().collect();
        let high: Vec<i64> = present.iter().rev().take(900).copied().collect();
        for gone in [low, high] {
            pipeline.process(rows("-D", &gone));
            present.retain(|v| !gone.contains(v));
            check(&mut pipeline, &present);
        }
    }
    assert!(most.get() < 1 << 21, "{} bytes", most.get());
    pipeline.rescale(1, BackendKind::Memory);
    pipeline.process(rows("-D", &[*present.first().unwrap()]));
    present.pop_first();
    check(&mut pipeline, &present);
}

/// Counts of the keys from `keys`, with a sum.
fn numbers(keys: Range<i64>) -> Batch {
    let schema = model::input();
    let rows = (keys.end - keys.start) as usize;
    let column = |(at, field): (usize, &Arc<Field>)| -> ArrayRef {
        match at {
            0 | 2 => Arc::new(Int64Array::from_iter_values(keys.clone())),
            _ => new_null_array(field.data_type(), rows),
        }
    };
    let columns = schema.fields().iter().enumerate().map(column).collect();
    Batch::inserts(RecordBatch::try_new(schema, columns).unwrap())
}

#[test]
fn a_checkpoint_writes_what_has_changed_and_no_more() {
    const KEYS: i64 = 1_000_000;
    for backend in [BackendKind::Memory, BackendKind::Disk, BackendKind::RocksDb] {
        let mut spec = spec(vec![0], false);
        spec.aggregates = vec![
            model::call(Count, false, None, None, "BIGINT"),
            model::call(Sum, false, Some(2), None, "BIGINT"),
        ];
        let mut pipeline = pipeline(spec, false);
        pipeline.memory_bytes = 1 << 30;
        pipeline.rescale(1, backend);
        for begin in (0..KEYS).step_by(10_000) {
            pipeline.process(numbers(begin..begin + 10_000));
        }
        let full = pipeline.checkpoint().last().unwrap().len();
        // One key in a hundred; hashed, so that they are in all key groups.
        pipeline.process(numbers(KEYS / 2..KEYS / 2 + KEYS / 100));
        let touched = pipeline.checkpoint().last().unwrap().len();
        pipeline.process(numbers(0..1));
        let one = pipeline.checkpoint().last().unwrap().len();
        assert!(touched * 100 < full * 3, "{touched} bytes of {full}");
        assert!(one < 200, "{one} bytes for one group");
        eprintln!("{backend:?}: {full} bytes, then {touched} for 1% of the groups");
    }
}
