//! Aggregates that depend on the order in which rows came.

use std::collections::BTreeMap;

use rand::Rng;
use rand::seq::SliceRandom;

use crate::graph::AggregateFunction::{Collect, FirstValue, LastValue};
use crate::graph::{AggregateCall, BackendKind, GroupAggregateSpec, OperatorSpec};
use crate::operator::aggregate::{output_schema_group, partial_schema_group, supports_local_group};
use crate::operator::testing::model::{Row, Rows, assert_same, batch_of, call, input};
use crate::operator::testing::pipeline::Pipeline;

fn calls() -> Vec<AggregateCall> {
    vec![
        call(FirstValue, false, Some(2), None, "BIGINT"),
        call(LastValue, false, Some(2), None, "BIGINT"),
        call(FirstValue, false, Some(1), Some(6), "STRING"),
        call(LastValue, false, Some(1), Some(7), "STRING"),
        call(FirstValue, false, Some(4), None, "DECIMAL"),
        call(Collect, false, Some(2), None, "BIGINTS"),
        call(Collect, false, Some(1), None, "STRINGS"),
        call(Collect, false, Some(2), Some(6), "BIGINTS"),
        call(Collect, true, Some(2), None, "BIGINTS"),
        call(Collect, true, Some(1), Some(7), "STRINGS"),
    ]
}

fn spec(keys: Vec<usize>, updating: bool) -> GroupAggregateSpec {
    GroupAggregateSpec {
        keys,
        aggregates: calls(),
        input: input().into(),
        input_updating: updating,
        partial_input: false,
        emit_update_before: true,
        ttl_ms: 0,
    }
}

fn pipeline(mut spec: GroupAggregateSpec, local: bool) -> Pipeline {
    let output = output_schema_group(&spec).unwrap();
    let rows = spec.input.0.clone();
    let keys = spec.keys.clone();
    if !local {
        return Pipeline::new(None, OperatorSpec::GroupAggregate(spec), rows, output, keys);
    }
    let partial = partial_schema_group(&spec).unwrap();
    let first = OperatorSpec::LocalGroupAggregate(spec.clone());
    spec.partial_input = true;
    let keys = (0..keys.len()).collect();
    let global = OperatorSpec::GroupAggregate(spec);
    Pipeline::new(Some((first, partial)), global, rows, output, keys)
}

/// The values of one call and group as they came, and those that were taken back before.
#[derive(Default)]
struct Values {
    there: Vec<String>,
    owed: Vec<String>,
}

impl Values {
    fn take(&mut self, value: String, retracts: bool) {
        let (from, to) = match retracts {
            true => (&mut self.there, &mut self.owed),
            false => (&mut self.owed, &mut self.there),
        };
        match from.iter().position(|v| *v == value) {
            Some(at) => {
                from.remove(at);
            }
            None => to.push(value),
        }
    }

    fn result(&self, call: &AggregateCall) -> String {
        let mut values: Vec<&str> = Vec::new();
        for value in &self.there {
            if !call.distinct || !values.contains(&value.as_str()) {
                values.push(value);
            }
        }
        let value = match call.function {
            FirstValue => values.first().map(|v| v.to_string()),
            LastValue => values.last().map(|v| v.to_string()),
            _ => (!values.is_empty()).then(|| format!("[{}]", values.join(", "))),
        };
        value.unwrap_or_else(|| "NULL".into())
    }
}

/// Every group: how many rows it has, and the values of each call.
#[derive(Default)]
struct Model {
    groups: BTreeMap<Vec<String>, (i64, BTreeMap<usize, Values>)>,
}

impl Model {
    fn process(&mut self, spec: &GroupAggregateSpec, rows: &[Row]) {
        for row in rows {
            let key = spec.keys.iter().map(|k| row.cells[*k].clone()).collect();
            let (count, values) = self.groups.entry(key).or_default();
            *count += if row.retracts { -1 } else { 1 };
            for (at, call) in spec.aggregates.iter().enumerate() {
                let value = row.cells[call.argument.unwrap()].clone();
                let passes = call.filter.is_none_or(|f| row.cells[f] == "true");
                if passes && (call.function == Collect || value != "NULL") {
                    values.entry(at).or_default().take(value, row.retracts);
                }
            }
        }
        self.groups.retain(|_, (count, _)| *count != 0);
    }

    fn result(&self, spec: &GroupAggregateSpec) -> Vec<String> {
        let nothing = Values::default();
        let line = |(key, (_, values)): (&Vec<String>, &(i64, BTreeMap<usize, Values>))| {
            let calls = spec.aggregates.iter().enumerate();
            let results = calls.map(|(at, call)| values.get(&at).unwrap_or(&nothing).result(call));
            let cells: Vec<String> = key.iter().cloned().chain(results).collect();
            cells.join(" | ")
        };
        self.groups.iter().map(line).collect()
    }
}

fn random_run(seed: u64, spec: &GroupAggregateSpec, (local, shuffled): (bool, bool)) {
    let mut random = Rows::new(seed);
    let mut pipeline = pipeline(spec.clone(), local);
    let mut model = Model::default();
    let mut present: Vec<Row> = vec![];
    for step in 0..14 {
        let mut rows = vec![];
        for _ in 0..random.random.random_range(0..20) {
            if spec.input_updating && !present.is_empty() && random.random.random_ratio(2, 5) {
                let at = random.random.random_range(0..present.len());
                let mut row = present.swap_remove(at);
                row.retracts = true;
                rows.push(row);
            } else {
                let row = random.row(Some(1));
                present.push(row.clone());
                rows.push(row);
            }
        }
        if shuffled {
            rows.shuffle(&mut random.random);
        }
        model.process(spec, &rows);
        pipeline.process(batch_of(&rows));
        if step % 3 == 2 {
            let backend = match seed.is_multiple_of(2) && step < 9 {
                true if step < 5 => BackendKind::Disk,
                true => BackendKind::RocksDb,
                false => BackendKind::Memory,
            };
            pipeline.rescale(random.random.random_range(1..5), backend);
        }
        let place = format!("seed {seed}, step {step}");
        if !local {
            assert_same(pipeline.result(), model.result(spec), &place);
        }
    }
    assert_same(
        pipeline.finish(),
        model.result(spec),
        &format!("seed {seed}"),
    );
}

#[test]
fn values_stand_as_they_came() {
    for seed in 0..6 {
        for keys in [vec![0], vec![1, 6]] {
            for local in [false, true] {
                random_run(seed, &spec(keys.clone(), false), (local, false));
            }
        }
    }
}

#[test]
fn of_equal_values_the_first_is_taken_back() {
    for seed in 100..112 {
        for keys in [vec![0], vec![1, 6]] {
            let spec = spec(keys, true);
            assert!(!supports_local_group(&spec).unwrap());
            random_run(seed, &spec, (false, false));
        }
    }
}

#[test]
fn what_is_taken_back_before_it_comes_goes_when_it_comes() {
    for seed in 200..212 {
        random_run(seed, &spec(vec![0], true), (false, true));
    }
}
