#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use arrow::array::{
    Array, ArrayRef, AsArray, Int32Array, Int64Array, LargeStringArray, RecordBatch, StringArray,
    StructArray,
};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, TimeUnit};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStoreExt, PutPayload};

use super::*;

fn schema() -> SchemaRef {
    let bid = vec![
        Field::new("price", DataType::Int64, true),
        Field::new("url", DataType::Utf8, true),
    ];
    Arc::new(Schema::new(vec![
        Field::new("a", DataType::Int64, true),
        Field::new("s", DataType::Utf8, true),
        Field::new("bid", DataType::Struct(bid.into()), true),
    ]))
}

fn batch(rows: std::ops::Range<i64>) -> RecordBatch {
    let a: ArrayRef = Arc::new(rows.clone().map(Some).collect::<Int64Array>());
    let s: ArrayRef = Arc::new(
        rows.clone()
            .map(|i| (i % 3 != 0).then(|| format!("s{i}")))
            .collect::<StringArray>(),
    );
    let DataType::Struct(fields) = schema().field(2).data_type().clone() else {
        panic!()
    };
    let bid: ArrayRef = Arc::new(StructArray::new(fields, vec![a.clone(), s.clone()], None));
    RecordBatch::try_new(schema(), vec![a, s, bid]).unwrap()
}

/// A file of 1,000 rows in row groups of 100, written in pieces, as an object.
fn bytes() -> Vec<u8> {
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(100))
        .build();
    let mut writer: Box<dyn FileWriter> =
        Box::new(write::ParquetWriter::new(schema(), properties).unwrap());
    let mut bytes = Vec::new();
    for start in (0..1000).step_by(50) {
        writer.write(&batch(start..start + 50)).unwrap();
        bytes.extend(writer.take_bytes());
    }
    assert!(
        bytes.len() > 1000,
        "finished row groups are handed out early"
    );
    bytes.extend(writer.finish().unwrap());
    bytes
}

async fn stored(bytes: Vec<u8>) -> (Arc<dyn ObjectStore>, ObjectMeta) {
    let store = InMemory::new();
    let path = Path::from("data/part-0.parquet");
    store.put(&path, PutPayload::from(bytes)).await.unwrap();
    let file = store.head(&path).await.unwrap();
    (Arc::new(store), file)
}

async fn read(bytes: Vec<u8>, schema: SchemaRef, rows: Range<u64>) -> Result<RecordBatch> {
    let (store, file) = stored(bytes).await;
    let end = rows.end;
    let mut reader = Parquet::default()
        .open(store, file, schema.clone(), rows, 64)
        .await?;
    let mut batches = Vec::new();
    while let Some(batch) = reader.next().await? {
        assert!(batch.num_rows() <= 64);
        batches.push(batch);
    }
    assert_eq!(reader.position(), end.min(1000));
    Ok(arrow::compute::concat_batches(&schema, &batches)?)
}

#[tokio::test]
async fn what_is_written_is_read() {
    assert_eq!(
        read(bytes(), schema(), 0..u64::MAX).await.unwrap(),
        batch(0..1000)
    );
}

#[tokio::test]
async fn reading_starts_and_ends_at_any_row() {
    for (start, end) in [
        (0, 1),
        (99, 101),
        (100, 200),
        (250, 777),
        (999, 1000),
        (1000, 1000),
    ] {
        let read = read(bytes(), schema(), start as u64..end as u64)
            .await
            .unwrap();
        assert_eq!(read, batch(start..end));
    }
}

#[tokio::test]
async fn row_groups_are_the_splits() {
    let (store, file) = stored(bytes()).await;
    let splits = Parquet::default().splits(store, file).await.unwrap();
    assert_eq!(
        splits,
        (0..10).map(|i| i * 100..(i + 1) * 100).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn columns_are_pruned_found_by_name_and_converted() {
    let bid = vec![
        Field::new("price", DataType::Int32, true),
        Field::new("new", DataType::Utf8, true),
    ];
    let wanted = Arc::new(Schema::new(vec![
        Field::new("bid", DataType::Struct(bid.into()), true),
        Field::new(
            "missing",
            DataType::Timestamp(TimeUnit::Millisecond, None),
            true,
        ),
        Field::new("a", DataType::Float64, true),
    ]));
    let read = read(bytes(), wanted, 10..12).await.unwrap();
    let prices: ArrayRef = Arc::new(Int32Array::from(vec![10, 11]));
    assert_eq!(read.column(0).as_struct().column(0), &prices);
    assert_eq!(read.column(0).as_struct().column(1).null_count(), 2);
    assert_eq!(read.column(1).null_count(), 2);
    assert_eq!(
        read.column(2)
            .as_primitive::<arrow::datatypes::Float64Type>()
            .values(),
        &[10.0, 11.0]
    );
    let nothing = Arc::new(Schema::empty());
    let counted = read_rows(bytes(), nothing).await;
    assert_eq!(counted, 1000);
}

async fn read_rows(bytes: Vec<u8>, schema: SchemaRef) -> usize {
    let (store, file) = stored(bytes).await;
    let mut reader = Parquet::default()
        .open(store, file, schema, 0..u64::MAX, 64)
        .await
        .unwrap();
    let mut rows = 0;
    while let Some(batch) = reader.next().await.unwrap() {
        rows += batch.num_rows();
    }
    rows
}

#[tokio::test]
async fn types_of_other_writers_are_converted() {
    let large: ArrayRef = Arc::new(LargeStringArray::from(vec!["x", "300"]));
    let batch = RecordBatch::try_from_iter([("s", large.clone()), ("n", large)]).unwrap();
    let mut writer = Parquet::default().writer(batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    let (store, file) = stored(writer.finish().unwrap()).await;
    let wanted = |name, data_type| Arc::new(Schema::new(vec![Field::new(name, data_type, true)]));
    let format = Parquet::default();
    let open = |wanted| format.open(store.clone(), file.clone(), wanted, 0..u64::MAX, 10);
    let mut text = open(wanted("s", DataType::Utf8)).await.unwrap();
    assert_eq!(
        text.next()
            .await
            .unwrap()
            .unwrap()
            .column(0)
            .as_string::<i32>()
            .value(1),
        "300"
    );
    let mut wrong = open(wanted("n", DataType::Int64)).await.unwrap();
    let error = wrong.next().await.unwrap_err();
    assert!(
        error
            .message
            .starts_with("file 'data/part-0.parquet', rows 0..2: column 'n': "),
        "{error}"
    );
    let list = DataType::List(Arc::new(Field::new("element", DataType::Int64, true)));
    let map = DataType::Struct(vec![Field::new("x", list, true)].into());
    let error = open(wanted("n", map)).await.err().unwrap();
    assert!(
        error.message.contains("does not convert to the table's"),
        "{error}"
    );
}

#[tokio::test]
async fn a_value_that_does_not_fit_is_an_error() {
    let big: ArrayRef = Arc::new(Int64Array::from(vec![1, i64::MAX]));
    let batch = RecordBatch::try_from_iter([("a", big)]).unwrap();
    let mut writer = Parquet::default().writer(batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    let (store, file) = stored(writer.finish().unwrap()).await;
    let wanted = Arc::new(Schema::new(vec![Field::new("a", DataType::Int32, true)]));
    let mut reader = Parquet::default()
        .open(store, file, wanted, 0..u64::MAX, 10)
        .await
        .unwrap();
    assert!(reader.next().await.is_err());
    assert_eq!(batch.column(0).as_primitive::<Int64Type>().len(), 2);
}

#[tokio::test]
async fn damaged_files_are_refused_with_their_name() {
    let whole = bytes();
    let cuts = [
        0,
        3,
        4,
        11,
        12,
        whole.len() / 2,
        whole.len() - 5,
        whole.len() - 1,
    ];
    for cut in cuts {
        let error = read(whole[..cut].to_vec(), schema(), 0..u64::MAX)
            .await
            .unwrap_err();
        assert!(
            error.message.contains("the file 'data/part-0.parquet'"),
            "{error}"
        );
        assert!(
            error.message.contains("cannot be read as Parquet"),
            "{error}"
        );
        assert!(error.hint.is_some());
    }
    let mut flipped = whole.clone();
    flipped[whole.len() / 3..whole.len() / 3 + 2000].fill(0xee);
    let error = read(flipped, schema(), 0..u64::MAX).await;
    assert!(error.is_err());
}

#[test]
fn options_are_checked() {
    let parse = |name: &str, value: &str| {
        let mut options = Options::new([(format!("parquet.{name}"), value.to_string())]);
        Parquet::from_options("", &mut options).and_then(|format| options.finish().map(|()| format))
    };
    assert!(matches!(
        parse("compression", "zstd").unwrap().compression,
        Compression::ZSTD(_)
    ));
    assert_eq!(
        parse("block.size", "1 mb").unwrap().row_group_bytes,
        1 << 20
    );
    assert!(parse("compression", "BROTLI").is_err());
    assert!(parse("block.size", "1").is_err());
    assert!(parse("compresion", "SNAPPY").is_err());
}
