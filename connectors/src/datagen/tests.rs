#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::{
    DataType, Decimal128Type, Field, Float64Type, Int8Type, Int64Type, Schema, SchemaRef, TimeUnit,
    TimestampMillisecondType,
};
use levada_engine::connector::SourceEvent;
use levada_engine::graph::JobId;
use levada_engine::metrics::SubtaskMetrics;
use levada_engine::time::ManualClock;

use super::*;

const NOW_MS: i64 = 1_700_000_000_000;

fn schema() -> SchemaRef {
    let text = Field::new("key", DataType::Utf8, false);
    let entries = DataType::Struct(vec![text, Field::new("value", DataType::Int8, true)].into());
    let row = vec![
        Field::new("x", DataType::Float64, true),
        Field::new("y", DataType::Utf8, true),
    ];
    Arc::new(Schema::new(vec![
        Field::new("id", DataType::Int64, true),
        Field::new("small", DataType::Int8, true),
        Field::new("d", DataType::Decimal128(6, 2), true),
        Field::new("s", DataType::Utf8, true),
        Field::new("b", DataType::Boolean, true),
        Field::new("t", DataType::Timestamp(TimeUnit::Millisecond, None), true),
        Field::new("r", DataType::Struct(row.into()), true),
        Field::new(
            "l",
            DataType::List(Arc::new(Field::new("element", DataType::Int64, true))),
            true,
        ),
        Field::new(
            "m",
            DataType::Map(Arc::new(Field::new("entries", entries, false)), false),
            true,
        ),
        Field::new("y", DataType::Binary, true),
    ]))
}

fn table(options: &[(&str, &str)]) -> TableDescriptor {
    TableDescriptor {
        name: "orders".into(),
        connector: "datagen".into(),
        schema: schema().into(),
        metadata: BTreeMap::new(),
        primary_key: Vec::new(),
        partitioned_by: Vec::new(),
        options: options
            .iter()
            .map(|(n, v)| (n.to_string(), v.to_string()))
            .collect(),
    }
}

async fn rows(
    schema: SchemaRef,
    options: &[(&str, &str)],
    (index, parallelism): (u32, u32),
) -> RecordBatch {
    let factory = Datagen.source(&table(options)).unwrap();
    assert_eq!(factory.boundedness(), Boundedness::Bounded);
    let context = SourceContext {
        job: JobId("job".into()),
        schema: schema.clone(),
        index,
        parallelism,
        batch_rows: 100,
        divert_bad: false,
        restored: None,
        clock: ManualClock::new(NOW_MS),
        metrics: Arc::new(SubtaskMetrics::default()),
    };
    let mut source = factory.create(context).unwrap();
    source.open().await.unwrap();
    let mut batches = Vec::new();
    loop {
        match source.next().await.unwrap() {
            SourceEvent::Rows { batch, .. } => batches.push(batch.rows().clone()),
            SourceEvent::SplitFinished(_) => {}
            SourceEvent::End => return concat_batches(&schema, &batches).unwrap(),
            other => panic!("{other:?}"),
        }
    }
}

const OPTIONS: &[(&str, &str)] = &[
    ("rows-per-second", "0"),
    ("number-of-rows", "1000"),
    ("fields.id.kind", "sequence"),
    ("fields.id.start", "10"),
    ("fields.id.end", "100000"),
    ("fields.small.min", "-3"),
    ("fields.small.max", "3"),
    ("fields.small.null-rate", "0.5"),
    ("fields.d.min", "-10"),
    ("fields.d.max", "10.5"),
    ("fields.s.length", "5"),
    ("fields.t.max-past", "1 h"),
    ("fields.r.x.min", "0"),
    ("fields.r.x.max", "1"),
    ("fields.r.y.length", "33"),
    ("fields.l.length", "2"),
    ("fields.m.key.length", "1"),
    ("fields.y.length", "9"),
];

#[tokio::test]
async fn values_keep_to_their_options() {
    let rows = rows(schema(), OPTIONS, (0, 1)).await;
    assert_eq!(rows.num_rows(), 1000);
    let ids = rows.column(0).as_primitive::<Int64Type>();
    assert_eq!(ids.values().to_vec(), (10..1010).collect::<Vec<_>>());
    let small = rows.column(1).as_primitive::<Int8Type>();
    assert!((400..600).contains(&small.null_count()));
    let seen: std::collections::BTreeSet<_> = small.iter().flatten().collect();
    assert_eq!(seen, (-3..=3).collect());
    let decimals = rows.column(2).as_primitive::<Decimal128Type>();
    assert!(decimals.values().iter().all(|d| (-1000..=1050).contains(d)));
    assert!(
        rows.column(3)
            .as_string::<i32>()
            .iter()
            .all(|s| s.unwrap().len() == 5)
    );
    let trues = rows.column(4).as_boolean().true_count();
    assert!((400..600).contains(&trues));
    let times = rows.column(5).as_primitive::<TimestampMillisecondType>();
    assert!(
        times
            .values()
            .iter()
            .all(|t| (NOW_MS - 3_600_000..=NOW_MS).contains(t))
    );
    assert!(times.values().iter().any(|t| *t < NOW_MS - 1_800_000));
    let row = rows.column(6).as_struct();
    let x = row.column(0).as_primitive::<Float64Type>();
    assert!(x.values().iter().all(|x| (0.0..1.0).contains(x)));
    let mean = x.values().iter().sum::<f64>() / 1000.0;
    assert!((0.45..0.55).contains(&mean), "{mean}");
    assert!(
        row.column(1)
            .as_string::<i32>()
            .iter()
            .all(|s| s.unwrap().len() == 33)
    );
    assert!((0..1000).all(|i| rows.column(7).as_list::<i32>().value_length(i) == 2));
    let lengths: Vec<_> = (0..1000)
        .map(|i| rows.column(8).as_map().value_length(i))
        .collect();
    assert!(lengths.iter().all(|length| (1..=3).contains(length)));
    assert!(
        lengths.iter().any(|length| *length < 3),
        "keys of one digit repeat, but never in a map"
    );
    assert!(
        rows.column(9)
            .as_binary::<i32>()
            .iter()
            .all(|b| b.unwrap().len() == 9)
    );
}

#[tokio::test]
async fn the_seed_alone_decides() {
    let all = rows(schema(), OPTIONS, (0, 1)).await;
    assert_eq!(rows(schema(), OPTIONS, (0, 1)).await, all);
    let odd = rows(schema(), OPTIONS, (1, 2)).await;
    let numbers = arrow::array::UInt32Array::from_iter_values((1..1000).step_by(2));
    assert_eq!(
        odd,
        arrow::compute::take_record_batch(&all, &numbers).unwrap()
    );
    let row = Field::new(
        "r",
        DataType::Struct(vec![Field::new("y", DataType::Utf8, true)].into()),
        true,
    );
    let pruned = Arc::new(Schema::new(vec![
        row,
        Field::new("small", DataType::Int8, true),
    ]));
    let pruned = rows(pruned, OPTIONS, (0, 1)).await;
    assert_eq!(
        pruned.column(0).as_struct().column(0),
        all.column(6).as_struct().column(1)
    );
    assert_eq!(pruned.column(1), all.column(1));
    let mut other = OPTIONS.to_vec();
    other.push(("seed", "1"));
    assert_ne!(
        rows(schema(), &other, (0, 1)).await.column(3),
        all.column(3)
    );
}

#[tokio::test]
async fn defaults_make_values_of_every_type() {
    let made = rows(
        schema(),
        &[("rows-per-second", "0"), ("number-of-rows", "50")],
        (0, 1),
    )
    .await;
    assert_eq!(made.num_rows(), 50);
    assert!(made.columns().iter().all(|column| column.null_count() == 0));
    assert!(made.column(3).as_string::<i32>().value(0).len() == 100);
}

#[tokio::test]
async fn a_sequence_ends_the_table() {
    let options = [
        ("fields.id.kind", "sequence"),
        ("fields.id.start", "-2"),
        ("fields.id.end", "2"),
        ("rows-per-second", "0"),
    ];
    let made = rows(schema(), &options, (0, 1)).await;
    assert_eq!(
        made.column(0).as_primitive::<Int64Type>().values().to_vec(),
        [-2, -1, 0, 1, 2]
    );
}

#[test]
fn wrong_options_are_refused() {
    let check = |options: &[(&str, &str)], expected: &str| {
        let error = Datagen.source(&table(options)).err().unwrap();
        assert!(error.to_string().contains(expected), "{error}");
    };
    check(
        &[("fields.idd.min", "1")],
        "unknown option 'fields.idd.min'",
    );
    check(
        &[("fields.id.kind", "sequence")],
        "the option 'fields.id.start' is missing",
    );
    check(&[("fields.b.kind", "sequence")], "cannot be counted");
    check(
        &[
            ("fields.id.kind", "sequence"),
            ("fields.id.start", "2"),
            ("fields.id.end", "1"),
        ],
        "not below the start",
    );
    check(
        &[("fields.small.min", "300")],
        "in the range of the column's type",
    );
    check(
        &[("fields.small.min", "3"), ("fields.small.max", "2")],
        "a minimum that is not above the maximum",
    );
    check(&[("fields.s.null-rate", "1.5")], "a number from 0 to 1");
    check(
        &[
            ("fields.l.element.kind", "sequence"),
            ("fields.l.element.start", "1"),
            ("fields.l.element.end", "2"),
        ],
        "cannot be counted",
    );
    check(&[("rows-per-second", "-1")], "a number of rows");
    assert!(Datagen.sink(&table(&[])).is_err());
}
