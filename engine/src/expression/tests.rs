#![allow(clippy::unwrap_used)]
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch, StructArray,
    TimestampMillisecondArray,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, Schema, TimeUnit, TimestampMillisecondType};
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::execution::TaskContext;
use datafusion::functions::core::expr_fn::get_field;
use datafusion::logical_expr::{Expr, col, lit, when};
use datafusion::prelude::SessionContext;

use levada_wasm::{Declaration, Kind, Limits, Module, Modules, ScalarFunction, ValueType};

use super::{Evaluator, Projection, encode, for_job, rewrite};

/// Rows with a number and a struct of a time, the second struct NULL.
fn rows() -> RecordBatch {
    let times = TimestampMillisecondArray::from(vec![Some(1_000), None, None]);
    let time = Arc::new(Field::new("at", times.data_type().clone(), true));
    let nulls = NullBuffer::from(vec![true, false, true]);
    let event = StructArray::new(vec![time].into(), vec![Arc::new(times)], Some(nulls));
    let schema = Schema::new(vec![
        Field::new("n", DataType::Int64, false),
        Field::new("event", event.data_type().clone(), true),
    ]);
    let columns: Vec<ArrayRef> = vec![Arc::new(Int64Array::from(vec![1, 2, 3])), Arc::new(event)];
    RecordBatch::try_new(Arc::new(schema), columns).unwrap()
}

fn context() -> Arc<TaskContext> {
    SessionContext::new().task_ctx()
}

fn encoded(expr: Expr) -> crate::graph::Expression {
    let rows = rows();
    let schema = DFSchema::try_from(rows.schema().as_ref().clone()).unwrap();
    let physical = SessionContext::new().create_physical_expr(expr, &schema);
    encode(&physical.unwrap()).unwrap()
}

fn interval(days: i32, millis: i64) -> Expr {
    lit(ScalarValue::new_interval_mdn(0, days, millis * 1_000_000))
}

#[test]
fn fields_are_read_once_and_filtered_alone() {
    let at = || get_field(col("event"), "at");
    let chosen = when(
        col("n").gt(lit(2i64)),
        lit(ScalarValue::TimestampMillisecond(Some(9), None)),
    )
    .otherwise(at())
    .unwrap();
    let expressions = [
        encoded(chosen),
        encoded(at() - interval(0, 500)),
        encoded(col("n")),
    ];
    let projection = Projection::new(&expressions, &rows().schema(), &context()).unwrap();
    let names: Vec<&str> = projection
        .narrowed
        .schema
        .fields()
        .iter()
        .map(|f| f.name().as_str())
        .collect();
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(
        projection
            .narrowed
            .schema
            .fields()
            .iter()
            .all(|f| !f.data_type().is_nested())
    );

    let mask = BooleanArray::from(vec![true, true, false]);
    let columns = projection.evaluate(&rows(), Some(&mask)).unwrap();
    let times = |i: usize| {
        columns[i]
            .as_primitive::<TimestampMillisecondType>()
            .iter()
            .collect::<Vec<_>>()
    };
    assert_eq!(
        times(0),
        [Some(1_000), None],
        "a field of a NULL row is NULL"
    );
    assert_eq!(times(1), [Some(500), None]);
    assert_eq!(columns[2].len(), 2);
}

#[test]
fn intervals_of_fixed_length_become_durations() {
    let schema = rows().schema();
    let physical = |e: Expr| {
        let df = DFSchema::try_from(schema.as_ref().clone()).unwrap();
        let e = SessionContext::new().create_physical_expr(e, &df).unwrap();
        rewrite::fixed_intervals(e, &schema).unwrap().to_string()
    };
    let at = || get_field(col("event"), "at");
    let text = physical(at() - interval(1, 5));
    assert!(text.ends_with("- 86400005"), "{text}");
    let month = lit(ScalarValue::new_interval_mdn(1, 0, 0));
    assert!(physical(at() + month).contains("mon"), "months vary");
    let tiny = lit(ScalarValue::new_interval_mdn(0, 0, 1));
    assert!(
        !physical(at() + tiny).ends_with("+ 0"),
        "a nanosecond is kept"
    );

    let value = Evaluator::new(&encoded(at() + interval(1, 5)), &schema, &context()).unwrap();
    let value = value.evaluate(&rows()).unwrap();
    assert_eq!(
        value.data_type(),
        &DataType::Timestamp(TimeUnit::Millisecond, None)
    );
    let first = value.as_primitive::<TimestampMillisecondType>().value(0);
    assert_eq!(first, 86_401_005);
}

/// A module whose function gives its first column.
const SAME: &str = r#"(module (memory (export "memory") 1)
    (func (export "levada_alloc") (param i32) (result i32) (i32.const 16))
    (func (export "same") (param i32) (result i32) (i32.add (local.get 0) (i32.const 8))))"#;

#[test]
fn functions_of_modules_need_the_modules_of_the_job() {
    let module = Module::compile(&wat::parse_str(SAME).unwrap()).unwrap();
    let declaration = Declaration {
        name: "same".to_string(),
        kind: Kind::Scalar,
        module: module.hash().to_string(),
        symbol: "same".to_string(),
        parameters: vec![ValueType::Int64],
        returns: ValueType::Int64,
        limits: Limits::default(),
    };
    let function = ScalarFunction::new(declaration, Arc::clone(&module)).unwrap();
    let expression = encoded(function.into_udf().call(vec![col("n") + lit(1i64)]));
    let read = |modules: Modules| {
        let functions = for_job(&context(), None, modules);
        Evaluator::new(&expression, &rows().schema(), &functions)
    };
    let error = read(Modules::default()).unwrap_err();
    assert!(
        error.message.contains("the function same has not come"),
        "{error}"
    );
    let evaluator = read(Modules::compile([module.bytes()]).unwrap()).unwrap();
    let found = evaluator.evaluate(&rows()).unwrap();
    assert_eq!(
        found.as_ref(),
        &Int64Array::from(vec![2, 3, 4]) as &dyn Array
    );
}
