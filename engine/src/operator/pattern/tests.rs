#![allow(clippy::unwrap_used)]
mod model;

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::logical_expr::Operator as Op;
use datafusion::physical_expr::expressions::{binary, col, lit};

use crate::expression::encode;
use crate::graph::{
    ALL_VARIABLES, AggregateFunction, BackendKind, OperatorSpec, OrderColumn, Pattern,
    PatternCondition, PatternSpec, PatternVariable, Reference, Skip,
};
use crate::operator::testing::model::chrono_text;
use crate::operator::testing::pipeline::Pipeline;
use crate::operator::testing::{batch, functions, schema};
use crate::state::fixture::table_of;
use crate::time::MAX_WATERMARK;

const ROWS: &str = "k BIGINT, t TIMESTAMP, v BIGINT";
const NOTHING: [&str; 0] = [];
/// Positions of the columns.
const K: usize = 0;
const T: usize = 1;
const V: usize = 2;

fn variable(at: usize) -> Pattern {
    Pattern::Variable(at)
}

fn repeated(pattern: Pattern, least: u32, most: Option<u32>, greedy: bool) -> Pattern {
    Pattern::Repeated {
        pattern: Box::new(pattern),
        least,
        most,
        greedy,
    }
}

/// The last row of some variables.
fn last(column: usize, variables: u64) -> Reference {
    Reference::Row {
        column,
        variables,
        first: false,
        offset: 0,
        shift: 0,
        running: false,
    }
}

fn aggregate(function: AggregateFunction, variables: u64) -> Reference {
    Reference::Aggregate {
        function,
        column: Some(V),
        distinct: false,
        variables,
        running: false,
    }
}

/// `left op right` over values, `right` being a number if there is one value.
fn condition(left: Reference, op: Op, right: Option<Reference>, number: i64) -> PatternCondition {
    let values: Vec<Reference> = [left].into_iter().chain(right).collect();
    let fields = (0..values.len()).map(|at| Field::new(format!("c{at}"), DataType::Int64, true));
    let schema: SchemaRef = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let other = match right {
        Some(_) => col("c1", &schema).unwrap(),
        None => lit(number),
    };
    let expression = binary(col("c0", &schema).unwrap(), op, other, &schema).unwrap();
    PatternCondition {
        values,
        expression: encode(&expression).unwrap(),
        schema: schema.into(),
    }
}

/// Low rows and then a high one: below 10, and not.
fn spec() -> PatternSpec {
    let low = condition(last(V, 1), Op::Lt, None, 10);
    let high = condition(last(V, 2), Op::GtEq, None, 10);
    let named = |name: &str, condition| PatternVariable {
        name: name.to_string(),
        condition: Some(condition),
    };
    PatternSpec {
        rows: schema(ROWS).into(),
        partition_by: vec![K],
        order_by: vec![OrderColumn {
            column: T,
            descending: false,
            nulls_first: false,
        }],
        pattern: Pattern::Sequence(vec![repeated(variable(0), 1, None, true), variable(1)]),
        variables: vec![named("L", low), named("H", high)],
        measures: vec![aggregate(AggregateFunction::Count, 1), last(V, 2)],
        all_rows: false,
        skip: Skip::PastLastRow,
        within_ms: None,
        gives_time: false,
    }
}

fn output_of(spec: &PatternSpec) -> SchemaRef {
    let rows = &spec.rows.0;
    let given: Vec<usize> = match spec.all_rows {
        true => vec![K, T, V],
        false => spec.partition_by.clone(),
    };
    let mut fields: Vec<Field> = given.iter().map(|at| rows.field(*at).clone()).collect();
    for (at, measure) in spec.measures.iter().enumerate() {
        let data_type = match measure {
            Reference::Row { column, .. } => rows.field(*column).data_type().clone(),
            Reference::Classifier => DataType::Utf8,
            _ => DataType::Int64,
        };
        fields.push(Field::new(format!("m{at}"), data_type, true));
    }
    Arc::new(Schema::new(fields))
}

fn pipeline(spec: &PatternSpec) -> Pipeline {
    let pattern = OperatorSpec::Pattern(Box::new(spec.clone()));
    let rows = spec.rows.0.clone();
    let keys = spec.partition_by.clone();
    Pipeline::new(None, pattern, rows, output_of(spec), keys)
}

fn row(key: i64, ms: i64, value: i64) -> String {
    format!("+I | {key} | {} | {value}", chrono_text(ms))
}

fn give(pattern: &mut Pipeline, rows: &[String]) {
    pattern.process(batch(&schema(ROWS), &rows.join("\n")));
}

fn said(pattern: &mut Pipeline) -> Vec<String> {
    std::mem::take(&mut pattern.lines)
}

#[test]
fn a_match_goes_out_when_the_watermark_has_passed_its_rows() {
    let mut pattern = pipeline(&spec());
    give(
        &mut pattern,
        &[row(1, 30, 20), row(1, 10, 1), row(1, 20, 2)],
    );
    assert_eq!(said(&mut pattern), NOTHING);
    pattern.watermark(30);
    assert_eq!(said(&mut pattern), NOTHING);
    pattern.rescale(3, BackendKind::RocksDb);
    pattern.watermark(31);
    assert_eq!(said(&mut pattern), ["+I | 1 | 2 | 20"]);
    assert_eq!(table_of(&pattern.checkpoint(), 1).len(), 0);
}

#[test]
fn late_rows_are_dropped_and_counted() {
    let mut pattern = pipeline(&spec());
    give(&mut pattern, &[row(1, 10, 1)]);
    pattern.watermark(20);
    give(&mut pattern, &[row(1, 15, 30), row(1, 25, 40)]);
    pattern.watermark(30);
    assert_eq!(said(&mut pattern), ["+I | 1 | 1 | 40"]);
    assert_eq!(pattern.metrics.late_rows.get(), 1);
}

#[test]
fn rows_that_no_match_can_begin_with_are_not_kept() {
    let mut pattern = pipeline(&spec());
    let rows: Vec<String> = (0..20).map(|ms| row(ms % 3, ms, 50)).collect();
    give(&mut pattern, &rows);
    pattern.watermark(100);
    let files = pattern.checkpoint();
    assert_eq!(
        (table_of(&files, 1).len(), table_of(&files, 4).len()),
        (0, 0)
    );
}

#[test]
fn the_watermark_waits_for_matches_that_may_have_earlier_times() {
    let mut held = spec();
    held.gives_time = true;
    held.within_ms = Some(50);
    for backend in [BackendKind::Memory, BackendKind::Disk, BackendKind::RocksDb] {
        let mut pattern = pipeline(&held);
        pattern.rescale(2, backend);
        give(&mut pattern, &[row(1, 10, 1), row(2, 30, 1)]);
        pattern.watermark(40);
        assert_eq!(pattern.output_watermark(40), 10);
        pattern.rescale(3, backend);
        pattern.watermark(60);
        assert_eq!(pattern.output_watermark(60), 30, "{backend:?}");
        pattern.watermark(80);
        assert_eq!(pattern.output_watermark(80), 80);
        assert_eq!(said(&mut pattern), NOTHING);
        assert_eq!(table_of(&pattern.checkpoint(), 1).len(), 0);
    }
}

#[test]
fn in_processing_time_attempts_are_over_when_the_clock_says_so() {
    let mut live = spec();
    live.order_by = vec![];
    live.within_ms = Some(1000);
    live.pattern = Pattern::Sequence(vec![variable(1), repeated(variable(0), 1, None, true)]);
    for backend in [BackendKind::Memory, BackendKind::Disk, BackendKind::RocksDb] {
        let mut pattern = pipeline(&live);
        pattern.rescale(2, backend);
        give(&mut pattern, &[row(1, 0, 10), row(1, 0, 1), row(2, 0, 11)]);
        pattern.advance_clock(500);
        give(&mut pattern, &[row(1, 0, 2)]);
        assert_eq!(said(&mut pattern), NOTHING);
        pattern.advance_clock(1000);
        assert_eq!(said(&mut pattern), ["+I | 1 | 2 | 10"]);
        assert_eq!(table_of(&pattern.checkpoint(), 1).len(), 0);
    }
}

#[test]
fn an_hour_at_a_constant_pace_leaves_state_flat() {
    for backend in [BackendKind::Memory, BackendKind::Disk, BackendKind::RocksDb] {
        let mut bounded = spec();
        bounded.within_ms = Some(20_000);
        bounded.gives_time = true;
        // No row is high: every attempt ends with its time.
        let mut pattern = pipeline(&bounded);
        pattern.memory_bytes = 1 << 20;
        pattern.rescale(2, backend);
        let mut most = [0; 2];
        for second in 0..3600 {
            let now = second * 1000;
            let of = |n: i64| row((second + n) % 50, now + n * 200, n);
            let rows: Vec<String> = (0..4).map(of).collect();
            give(&mut pattern, &rows);
            pattern.watermark(now);
            pattern.lines.clear();
            let half = usize::from(second >= 1800);
            most[half] = pattern.held_bytes().max(most[half]);
        }
        assert!(most[1] * 10 <= most[0] * 11, "{backend:?}: {most:?}");
        let files = pattern.checkpoint();
        let rows = |table| table_of(&files, table).len();
        assert!(rows(1) + rows(4) <= 100, "{} {}", rows(1), rows(4));
    }
}

/// Anything, twice over in every way, as long as it rises: `(A | B)* C`.
fn ambiguous(remembers: bool) -> PatternSpec {
    let either = Pattern::Alternatives(vec![variable(0), variable(1)]);
    let rises = |set: u64| match remembers {
        false => None,
        true => Some(condition(
            aggregate(AggregateFunction::Sum, set),
            Op::Lt,
            None,
            i64::MAX,
        )),
    };
    let named = |name: &str, condition| PatternVariable {
        name: name.to_string(),
        condition,
    };
    PatternSpec {
        pattern: Pattern::Sequence(vec![repeated(either, 0, None, true), variable(2)]),
        variables: vec![
            named("A", rises(1)),
            named("B", rises(2)),
            named("C", Some(condition(last(V, 4), Op::Eq, None, -1))),
        ],
        measures: vec![aggregate(AggregateFunction::Count, 1)],
        ..spec()
    }
}

#[test]
fn equal_runs_of_an_ambiguous_pattern_are_one() {
    let mut pattern = pipeline(&ambiguous(false));
    let mut rows: Vec<String> = (0..200).map(|ms| row(1, ms, ms)).collect();
    rows.push(row(1, 200, -1));
    give(&mut pattern, &rows);
    pattern.watermark(MAX_WATERMARK);
    // The alternative that is preferred has all rows, the last one too: C is any row there that is -1.
    assert_eq!(said(&mut pattern), ["+I | 1 | 200"]);
}

#[test]
fn too_many_runs_are_an_error() {
    let spec = ambiguous(true);
    let mut operator = crate::operator::build(
        &OperatorSpec::Pattern(Box::new(PatternSpec {
            order_by: vec![],
            ..spec.clone()
        })),
        &[],
        &output_of(&spec),
        crate::operator::OperatorContext {
            state: Some(memory_state()),
            ..crate::operator::testing::context()
        },
    )
    .unwrap();
    let rows: Vec<String> = (0..20).map(|bit| row(1, bit, 1 << bit)).collect();
    let rows = batch(&schema(ROWS), &rows.join("\n"));
    let mut output = crate::operator::Output::default();
    let error = operator.process(0, rows, 0, &mut output).unwrap_err();
    assert!(error.to_string().contains("ways to match"), "{error}");
}

#[test]
fn a_skip_to_where_the_match_began_is_an_error() {
    let mut looping = spec();
    looping.order_by = vec![];
    looping.skip = Skip::ToFirst(1);
    let functions = functions();
    let mut matcher = super::Bounded::new(&looping, &output_of(&looping), &functions).unwrap();
    let rows = batch(&schema(ROWS), &[row(1, 0, 1), row(1, 1, 10)].join("\n"));
    let error = matcher.process(rows.rows(), &mut |_| {}).unwrap_err();
    assert!(error.to_string().contains("for ever"), "{error}");
}

fn memory_state() -> Box<dyn crate::state::KeyedState> {
    let state = crate::state::create(crate::state::StateSetup {
        kind: BackendKind::Memory,
        key_groups: crate::key::KeyGroupRange::all(128),
        scratch: std::path::Path::new("unused"),
        checkpointed: true,
        restored: crate::state::Restored::default(),
        resources: &crate::state::Resources::new(crate::memory::Memory::new(1 << 20)),
    });
    state.unwrap()
}
