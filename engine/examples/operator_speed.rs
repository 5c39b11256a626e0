//! How fast aggregating operators are, alone: no source, exchange or sink.
//!
//! The rows resemble the bids of the Nexmark generator: 100,000 events a second of event time, 46
//! of 50 of them bids, half of the bids for the auction of the moment, the others for the hundred
//! last ones. Run with `cargo run --release --example operator_speed [million rows]`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use arrow::array::{
    ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use datafusion::prelude::SessionContext;
use levada_engine::element::Batch;
use levada_engine::graph::{
    AggregateCall, AggregateFunction, BackendKind, DataTypeSpec, GroupAggregateSpec, OperatorSpec,
    WindowAggregateSpec, WindowKind, WindowSpec, WindowTime,
};
use levada_engine::key::KeyGroupRange;
use levada_engine::memory::Memory;
use levada_engine::operator::aggregate::{
    output_schema_group, output_schema_window, partial_schema_group, partial_schema_window,
};
use levada_engine::operator::{self, Operator, OperatorContext, Output};
use levada_engine::state::{self, Resources, StateSetup};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

const BATCH_ROWS: usize = 8192;
const BASE_MS: i64 = 1_700_000_000_000;

fn schema() -> SchemaRef {
    let time = DataType::Timestamp(TimeUnit::Millisecond, None);
    let field = |name: &str, data_type| Field::new(name, data_type, true);
    Arc::new(Schema::new(vec![
        field("auction", DataType::Int64),
        field("bidder", DataType::Int64),
        field("price", DataType::Int64),
        field("channel", DataType::Utf8),
        field("day", DataType::Utf8),
        field("dateTime", time),
        field("rank1", DataType::Boolean),
        field("rank2", DataType::Boolean),
        field("rank3", DataType::Boolean),
    ]))
}

fn bids(rows: usize) -> Vec<Batch> {
    let mut random = SmallRng::seed_from_u64(1);
    let mut batches = vec![];
    for first in (0..rows).step_by(BATCH_ROWS) {
        let events: Vec<i64> = (first..(first + BATCH_ROWS).min(rows))
            .map(|bid| bid as i64 * 50 / 46)
            .collect();
        let auction = |event: &i64, random: &mut SmallRng| {
            let last = event * 3 / 50;
            match random.random_ratio(1, 2) {
                true => last / 100 * 100,
                false => (last - random.random_range(0..100)).max(0),
            }
        };
        let bidder = |event: &i64, random: &mut SmallRng| {
            let last = event / 50;
            match random.random_ratio(3, 4) {
                true => last / 100 * 100 + 1,
                false => (last - random.random_range(0..1000)).max(0),
            }
        };
        let auctions: Vec<i64> = events.iter().map(|e| auction(e, &mut random)).collect();
        let bidders: Vec<i64> = events.iter().map(|e| bidder(e, &mut random)).collect();
        let prices: Vec<i64> = events
            .iter()
            .map(|_| (10f64.powf(random.random::<f64>() * 6.0) * 100.0) as i64)
            .collect();
        let channels: Vec<String> = events
            .iter()
            .map(|_| format!("channel-{}", random.random_range(0..10_000)))
            .collect();
        let times = events.iter().map(|e| BASE_MS + e / 100);
        let rank = |low: i64, high: i64| -> ArrayRef {
            let of = prices.iter().map(|p| Some((low..high).contains(p)));
            Arc::new(BooleanArray::from_iter(of))
        };
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from(auctions)),
            Arc::new(Int64Array::from(bidders)),
            Arc::new(Int64Array::from(prices.clone())),
            Arc::new(StringArray::from(channels)),
            Arc::new(StringArray::from(vec!["2023-11-14"; events.len()])),
            Arc::new(TimestampMillisecondArray::from_iter_values(times)),
            rank(0, 10_000),
            rank(10_000, 1_000_000),
            rank(1_000_000, i64::MAX),
        ];
        batches.push(Batch::inserts(
            RecordBatch::try_new(schema(), columns).unwrap(),
        ));
    }
    batches
}

fn call(
    function: AggregateFunction,
    distinct: bool,
    argument: Option<usize>,
    filter: Option<usize>,
) -> AggregateCall {
    let result = match function {
        AggregateFunction::Avg => DataType::Float64,
        _ => DataType::Int64,
    };
    AggregateCall {
        function,
        distinct,
        argument,
        filter,
        argument_type: DataTypeSpec(DataType::Int64),
        result_type: DataTypeSpec(result),
        name: format!("{function:?}"),
        identity: format!("{function:?} {distinct} {argument:?} {filter:?}"),
    }
}

fn count() -> AggregateCall {
    call(AggregateFunction::Count, false, None, None)
}

fn counts_by_rank(distinct: bool, argument: Option<usize>) -> Vec<AggregateCall> {
    let filters = [None, Some(6), Some(7), Some(8)];
    filters
        .map(|f| call(AggregateFunction::Count, distinct, argument, f))
        .to_vec()
}

fn price_statistics() -> Vec<AggregateCall> {
    use AggregateFunction::*;
    let mut calls = counts_by_rank(false, None);
    calls.extend([Min, Max, Avg, Sum].map(|f| call(f, false, Some(2), None)));
    calls
}

fn distinct_counts() -> Vec<AggregateCall> {
    let mut calls = counts_by_rank(false, None);
    calls.extend(counts_by_rank(true, Some(1)));
    calls.extend(counts_by_rank(true, Some(0)));
    calls
}

fn window(kind: WindowKind, key: usize) -> WindowAggregateSpec {
    WindowAggregateSpec {
        window: WindowSpec {
            kind,
            time: WindowTime::Event { column: 5 },
            time_type: DataTypeSpec(schema().field(5).data_type().clone()),
        },
        keys: vec![key],
        aggregates: vec![count()],
        input: schema().into(),
        input_updating: false,
        partial_input: false,
        allowed_lateness_ms: 0,
        early_fire_ms: None,
    }
}

fn group(keys: Vec<usize>, aggregates: Vec<AggregateCall>) -> GroupAggregateSpec {
    GroupAggregateSpec {
        keys,
        aggregates,
        input: schema().into(),
        input_updating: false,
        partial_input: false,
        emit_update_before: false,
        ttl_ms: 0,
    }
}

fn build(spec: &OperatorSpec, input: &SchemaRef, output: &SchemaRef) -> Box<dyn Operator> {
    let range = KeyGroupRange::all(128);
    let memory = Memory::new(1 << 30);
    let state = state::create(StateSetup {
        kind: BackendKind::Memory,
        key_groups: range,
        scratch: Path::new("unused"),
        checkpointed: false,
        restored: Default::default(),
        resources: &Resources::new(memory.clone()),
    })
    .unwrap();
    let context = OperatorContext {
        functions: SessionContext::new().task_ctx(),
        index: 0,
        parallelism: 1,
        max_parallelism: 128,
        key_groups: range,
        state: Some(state),
        layouts: vec![],
        memory: memory.share(),
        metrics: Default::default(),
        batch_rows: BATCH_ROWS,
        now_ms: 0,
    };
    operator::build(spec, std::slice::from_ref(input), output, context).unwrap()
}

/// Runs batches through one operator and returns what it emitted. The watermark follows every
/// batch, four seconds behind, as it would behind the benchmark's source.
fn run(
    name: &str,
    operator: &mut dyn Operator,
    batches: &[Batch],
    times: Option<usize>,
) -> Vec<Batch> {
    let rows: usize = batches.iter().map(Batch::num_rows).sum();
    let (mut output, mut emitted) = (Output::default(), vec![]);
    let started = Instant::now();
    for batch in batches {
        operator.process(0, batch.clone(), 0, &mut output).unwrap();
        if let Some(column) = times {
            let time = batch.column(column);
            let time = arrow::compute::max(arrow::array::AsArray::as_primitive::<
                arrow::datatypes::TimestampMillisecondType,
            >(time));
            operator
                .watermark(time.unwrap() - 4000, &mut output)
                .unwrap();
        }
        emitted.extend(output.drain());
    }
    operator.watermark(i64::MAX, &mut output).unwrap();
    operator.finish(&mut output).unwrap();
    emitted.extend(output.drain());
    let seconds = started.elapsed().as_secs_f64();
    let out: usize = emitted.iter().map(Batch::num_rows).sum();
    let before = rows as f64 / seconds / 1e6;
    println!("{name:32} {rows:>9} rows in {out:>9} out {seconds:7.3} s {before:8.2} M rows/s");
    emitted
}

fn main() {
    let millions: f64 = std::env::args()
        .nth(1)
        .map_or(4.6, |a| a.parse().expect("a number"));
    let batches = bids((millions * 1e6) as usize);
    let input = schema();
    let hop = WindowKind::Hop {
        slide_ms: 2000,
        size_ms: 10_000,
        offset_ms: 0,
    };
    let mut spec = window(hop, 0);
    let (partial, output) = (
        partial_schema_window(&spec).unwrap(),
        output_schema_window(&spec).unwrap(),
    );
    let mut local = build(
        &OperatorSpec::LocalWindowAggregate(spec.clone()),
        &input,
        &partial,
    );
    let partials = run("q5 local HOP count", local.as_mut(), &batches, Some(5));
    spec.partial_input = true;
    let mut global = build(
        &OperatorSpec::WindowAggregate(spec.clone()),
        &partial,
        &output,
    );
    run("q5 global HOP count", global.as_mut(), &partials, None);
    spec.partial_input = false;
    let mut single = build(&OperatorSpec::WindowAggregate(spec), &input, &output);
    run(
        "q5 HOP count in one phase",
        single.as_mut(),
        &batches,
        Some(5),
    );

    let spec = window(WindowKind::Session { gap_ms: 10_000 }, 1);
    let output = output_schema_window(&spec).unwrap();
    let mut session = build(&OperatorSpec::WindowAggregate(spec), &input, &output);
    run("q11 SESSION count", session.as_mut(), &batches, Some(5));

    for (name, keys, calls) in [
        ("q17 auction, day", vec![0, 4], price_statistics()),
        ("q15 day, distinct", vec![4], distinct_counts()),
        ("q16 channel, day, distinct", vec![3, 4], distinct_counts()),
        ("channel count", vec![3], vec![count()]),
    ] {
        let mut spec = group(keys, calls);
        let (partial, output) = (
            partial_schema_group(&spec).unwrap(),
            output_schema_group(&spec).unwrap(),
        );
        let mut local = build(
            &OperatorSpec::LocalGroupAggregate(spec.clone()),
            &input,
            &partial,
        );
        let partials = run(&format!("{name}, local"), local.as_mut(), &batches, None);
        spec.partial_input = true;
        let mut global = build(
            &OperatorSpec::GroupAggregate(spec.clone()),
            &partial,
            &output,
        );
        run(&format!("{name}, global"), global.as_mut(), &partials, None);
        spec.partial_input = false;
        let mut single = build(&OperatorSpec::GroupAggregate(spec), &input, &output);
        run(
            &format!("{name}, one phase"),
            single.as_mut(),
            &batches,
            None,
        );
    }
}
