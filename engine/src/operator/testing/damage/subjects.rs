//! The operators whose state is damaged: all that keep some, each with the state of one that has run.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use super::Subject;
use crate::graph::{
    ALL_VARIABLES, AggregateFunction, AsOf, Bound, ChangelogNormalizeSpec, DataTypeSpec, Frame,
    FrameUnit, GroupAggregateSpec, JoinInput, JoinKind, JoinSpec, JoinTime, JoinUntil,
    MultiJoinSpec, OperatorSpec, OrderColumn, OverCall, OverForm, OverFunction, OverSpec, Pattern,
    PatternSpec, PatternVariable, RankFunction, RankSpec, RankWindow, Reference, Skip,
    TemporalJoinSpec, WindowAggregateSpec, WindowKind, WindowSpec, WindowTime,
};
use crate::operator::aggregate::{output_schema_group, output_schema_window};
use crate::operator::testing::data_type;
use crate::operator::testing::model::{self, Rows, batch_of, calls};
use crate::operator::testing::pipeline::Pipeline;
use crate::state::fixture::entries_of;

/// Positions of the input's columns.
const K: usize = 0;
const V: usize = 2;
const T: usize = 8;

fn subject(
    name: impl Into<String>,
    spec: OperatorSpec,
    output: SchemaRef,
    keys: &[usize],
    inputs: usize,
) -> Subject {
    let name = name.into();
    let input = || (model::input(), keys.to_vec());
    let more = (1..inputs).map(|_| input()).collect();
    let mut pipeline = Pipeline::of_several(spec.clone(), input(), more, output.clone());
    let mut random = Rows::new(1);
    for step in 0..4 {
        for input in 0..inputs {
            let rows: Vec<_> = (0..12).map(|n| random.row(Some(step * 7 + n))).collect();
            pipeline.process_input(input, batch_of(&rows));
        }
        pipeline.watermark(step * 5);
    }
    let state = entries_of(&pipeline.checkpoint());
    assert!(state.len() > 4, "{name} has too little state");
    Subject {
        name,
        spec,
        inputs,
        output,
        state,
    }
}

fn group(keys: Vec<usize>, updating: bool) -> Subject {
    let spec = GroupAggregateSpec {
        keys: keys.clone(),
        aggregates: calls(),
        input: model::input().into(),
        input_updating: updating,
        partial_input: false,
        emit_update_before: true,
        ttl_ms: 0,
    };
    let output = output_schema_group(&spec).unwrap();
    let name = format!("groups by {keys:?}, updating {updating}");
    subject(name, OperatorSpec::GroupAggregate(spec), output, &keys, 1)
}

fn window(kind: WindowKind, lateness_ms: i64) -> Subject {
    let spec = WindowAggregateSpec {
        window: WindowSpec {
            kind,
            time: WindowTime::Event { column: T },
            time_type: DataTypeSpec(data_type("TIMESTAMP")),
        },
        keys: vec![K],
        aggregates: calls(),
        input: model::input().into(),
        input_updating: false,
        partial_input: false,
        allowed_lateness_ms: lateness_ms,
        early_fire_ms: None,
    };
    let output = output_schema_window(&spec).unwrap();
    let name = format!("{kind:?}, late by {lateness_ms}");
    subject(name, OperatorSpec::WindowAggregate(spec), output, &[K], 1)
}

/// The columns of so many inputs, and more.
fn output(inputs: usize, more: &[(&str, DataType)]) -> SchemaRef {
    let input = model::input();
    let own = (0..inputs).flat_map(|_| input.fields().iter().map(|f| f.as_ref().clone()));
    let more = more
        .iter()
        .map(|(name, data_type)| Field::new(*name, data_type.clone(), true));
    let fields = own.map(|field| field.with_nullable(true)).chain(more);
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn side(updating: bool) -> JoinInput {
    JoinInput {
        keys: vec![K],
        rows: model::input().into(),
        updating,
    }
}

fn join(kind: JoinKind, time: Option<JoinTime>) -> Subject {
    let spec = JoinSpec {
        kind,
        left: side(time.is_none()),
        right: side(time.is_none()),
        null_equals_null: false,
        condition: None,
        ttl_ms: 0,
        input_ttl_ms: [None, None],
        time,
    };
    let name = format!("{kind:?} join, {time:?}");
    subject(name, OperatorSpec::Join(spec), output(2, &[]), &[K], 2)
}

fn multi_join() -> Subject {
    let width = model::input().fields().len();
    let spec = MultiJoinSpec {
        inputs: vec![side(true), side(false), side(true)],
        padded: vec![false, true, false],
        columns: (0..3)
            .flat_map(|input| (0..width).map(move |column| (input, column)))
            .collect(),
        ttl_ms: 0,
    };
    let operator = OperatorSpec::MultiJoin(spec);
    subject("several joins", operator, output(3, &[]), &[K], 3)
}

fn temporal_join(as_of: Option<AsOf>) -> Subject {
    let spec = TemporalJoinSpec {
        left: side(false),
        right: side(true),
        outer: true,
        as_of,
        exists: None,
        condition: None,
        ttl_ms: 0,
    };
    let name = format!("temporal join, {as_of:?}");
    let operator = OperatorSpec::TemporalJoin(spec);
    subject(name, operator, output(2, &[]), &[K], 2)
}

fn by(column: usize) -> OrderColumn {
    OrderColumn {
        column,
        descending: false,
        nulls_first: false,
    }
}

fn rank(window: Option<RankWindow>) -> Subject {
    let mut partition_by = vec![K];
    partition_by.extend(window.map(|_| T));
    let spec = RankSpec {
        rows: model::input().into(),
        partition_by: partition_by.clone(),
        order_by: vec![by(V)],
        newest_first: false,
        function: RankFunction::RowNumber,
        from: 1,
        to: 3,
        number: true,
        updating: window.is_none(),
        update_before: true,
        ttl_ms: 0,
        window,
    };
    let columns = output(1, &[("n", DataType::Int64)]);
    let name = format!("rank, {window:?}");
    subject(name, OperatorSpec::Rank(spec), columns, &partition_by, 1)
}

fn over(form: OverForm) -> Subject {
    let call = |start: Bound, unit: FrameUnit| OverCall {
        function: OverFunction::Aggregate(AggregateFunction::Sum),
        argument: Some(V),
        argument_type: DataTypeSpec(DataType::Int64),
        filter: None,
        distinct: false,
        ignore_nulls: false,
        frame: Frame {
            unit,
            start,
            end: Bound::Current,
        },
        result_type: DataTypeSpec(DataType::Int64),
        name: "SUM(v)".to_string(),
    };
    let spec = OverSpec {
        rows: model::input().into(),
        partition_by: vec![K],
        order_by: vec![by(T)],
        form,
        calls: vec![
            call(Bound::Unbounded, FrameUnit::Rows),
            call(Bound::Preceding(6), FrameUnit::Range),
        ],
        update_before: true,
        ttl_ms: 0,
    };
    let columns = output(1, &[("a", DataType::Int64), ("b", DataType::Int64)]);
    let name = format!("OVER, {form:?}");
    subject(name, OperatorSpec::Over(spec), columns, &[K], 1)
}

fn pattern(within_ms: Option<i64>, shift: i64) -> Subject {
    let variable = |name: &str| PatternVariable {
        name: name.to_string(),
        condition: None,
    };
    let spec = PatternSpec {
        rows: model::input().into(),
        partition_by: vec![K],
        order_by: vec![by(T)],
        pattern: Pattern::Sequence(vec![
            Pattern::Variable(0),
            Pattern::Repeated {
                pattern: Box::new(Pattern::Variable(1)),
                least: 3,
                most: Some(6),
                greedy: true,
            },
        ]),
        variables: vec![variable("A"), variable("B")],
        measures: vec![
            Reference::MatchNumber,
            Reference::Row {
                column: V,
                variables: ALL_VARIABLES,
                first: true,
                offset: 0,
                shift,
                running: false,
            },
        ],
        all_rows: false,
        skip: Skip::PastLastRow,
        within_ms,
        gives_time: false,
    };
    let key = model::input().field(K).clone().with_nullable(true);
    let more = ["m", "v"].map(|name| Field::new(name, DataType::Int64, true));
    let fields: Vec<Field> = std::iter::once(key).chain(more).collect();
    let name = format!("pattern within {within_ms:?}, {shift} rows on");
    let operator = OperatorSpec::Pattern(Box::new(spec));
    subject(name, operator, Arc::new(Schema::new(fields)), &[K], 1)
}

fn normalize() -> Subject {
    let spec = ChangelogNormalizeSpec {
        keys: vec![K],
        rows: model::input().into(),
        identities: model::input()
            .fields()
            .iter()
            .map(|f| f.name().clone())
            .collect(),
        emit_update_before: true,
        ttl_ms: 0,
    };
    let operator = OperatorSpec::ChangelogNormalize(spec);
    subject("upserts", operator, model::input(), &[K], 1)
}

pub(super) fn subjects() -> Vec<Subject> {
    let (size_ms, offset_ms) = (12, 0);
    let hop = |slide_ms, size_ms| WindowKind::Hop {
        slide_ms,
        size_ms,
        offset_ms,
    };
    let until = |after_ms| JoinUntil {
        column: T,
        after_ms,
    };
    let time = JoinTime {
        left: until(20),
        right: until(-3),
    };
    let as_of = AsOf {
        left: T,
        right: T,
        earlier: false,
    };
    vec![
        group(vec![0], false),
        group(vec![1, 0], true),
        group(vec![], true),
        window(WindowKind::Tumble { size_ms, offset_ms }, 0),
        window(hop(4, 12), 0),
        window(hop(2, 46), 9),
        window(
            WindowKind::Cumulate {
                step_ms: 5,
                size_ms: 20,
                offset_ms,
            },
            0,
        ),
        window(WindowKind::Session { gap_ms: 5 }, 0),
        window(WindowKind::Session { gap_ms: 3 }, 9),
        join(JoinKind::Full, None),
        join(JoinKind::Left, Some(time)),
        multi_join(),
        temporal_join(Some(as_of)),
        temporal_join(None),
        rank(None),
        rank(Some(RankWindow {
            column: T,
            last_ms: 0,
            at_end: true,
        })),
        over(OverForm::Time),
        over(OverForm::Corrected { updating: true }),
        pattern(None, -1),
        pattern(Some(30), 2),
        normalize(),
    ]
}
