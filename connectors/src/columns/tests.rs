#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use arrow::array::{Int32Array, Int64Array, StringArray};

use super::*;

fn field(name: &str, data_type: DataType) -> Field {
    Field::new(name, data_type, true)
}

fn layout() -> Layout<&'static str> {
    let target = Arc::new(Schema::new(vec![
        field("offset", DataType::Int64),
        field("a", DataType::Int32),
        field("k_id", DataType::Utf8),
    ]));
    Layout::new(&target, |field| {
        Ok(match field.name().as_str() {
            "offset" => Origin::Derived("offset"),
            "k_id" => Origin::Key("id".into()),
            _ => Origin::Value,
        })
    })
    .unwrap()
}

#[test]
fn parts_are_put_back_into_the_order_asked_for() {
    let layout = layout();
    assert_eq!(layout.key().field(0).name(), "id");
    let a: ArrayRef = Arc::new(Int32Array::from(vec![1, 2]));
    let value = RecordBatch::try_new(Arc::clone(layout.value()), vec![a]).unwrap();
    let key: ArrayRef = Arc::new(StringArray::from(vec!["x", "y"]));
    let offset: ArrayRef = Arc::new(Int64Array::from(vec![10, 11]));
    let batch = layout.assemble(value, &[key], &[offset]).unwrap();
    assert_eq!(
        batch
            .schema()
            .fields()
            .iter()
            .map(|f| f.name())
            .collect::<Vec<_>>(),
        ["offset", "a", "k_id"]
    );
    assert_eq!(batch.num_rows(), 2);
}

#[test]
fn rows_without_decoded_columns_keep_their_count() {
    let target = Arc::new(Schema::new(vec![field("p", DataType::Int64)]));
    let layout = Layout::new(&target, |_| Ok(Origin::Derived(()))).unwrap();
    let options = RecordBatchOptions::new().with_row_count(Some(3));
    let value =
        RecordBatch::try_new_with_options(Arc::clone(layout.value()), vec![], &options).unwrap();
    let p: ArrayRef = Arc::new(Int64Array::from(vec![1, 1, 1]));
    assert_eq!(layout.assemble(value, &[], &[p]).unwrap().num_rows(), 3);
}

#[test]
fn values_that_do_not_convert_are_refused() {
    let text: ArrayRef = Arc::new(StringArray::from(vec!["12", "x"]));
    let error = convert(&text, &field("n", DataType::Int32)).unwrap_err();
    assert!(
        error
            .message
            .starts_with("column 'n': a value does not convert to Int32")
    );
    let number = convert(&text.slice(0, 1), &field("n", DataType::Int32)).unwrap();
    assert_eq!(
        number.as_ref(),
        &Int32Array::from(vec![12]) as &dyn arrow::array::Array
    );
    assert!(
        check_convertible("offset", &DataType::Boolean, &field("d", DataType::Date32)).is_err()
    );
    assert!(check_convertible("offset", &DataType::Int64, &field("s", DataType::Utf8)).is_ok());
}
