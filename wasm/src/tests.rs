#![allow(clippy::unwrap_used)]
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Date32Array, Decimal128Array,
    Float32Array, Float64Array, Int8Array, Int16Array, Int32Array, Int64Array, ListArray,
    StringArray, StructArray, TimestampMillisecondArray, TimestampNanosecondArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Int64Type};
use datafusion::common::config::ConfigOptions;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl};

use crate::{
    Declaration, GuestError, Kind, Limits, MAX_MODULE_BYTES, Module, ScalarFunction, ValueType,
};

/// What every guest here has: a memory, and room from 4096 on that each call begins anew.
const COMMON: &str = r#"
  (memory (export "memory") 1)
  (global $top (mut i32) (i32.const 4096))
  (func $room (param $size i32) (result i32) (local $at i32) (local $pages i32)
    (local.set $at (global.get $top))
    (global.set $top (i32.and (i32.add (i32.add (global.get $top) (local.get $size)) (i32.const 15)) (i32.const -16)))
    (local.set $pages (i32.sub
      (i32.shr_u (i32.add (global.get $top) (i32.const 65535)) (i32.const 16)) (memory.size)))
    (if (i32.gt_s (local.get $pages) (i32.const 0))
      (then (if (i32.eq (memory.grow (local.get $pages)) (i32.const -1)) (then unreachable))))
    (local.get $at))
  (func (export "levada_alloc") (param $size i32) (result i32)
    (global.set $top (i32.const 4096))
    (call $room (local.get $size)))
"#;

/// A function that gives its first column back as it came.
const SAME: &str =
    r#"(func (export "f") (param $in i32) (result i32) (i32.add (local.get $in) (i32.const 8)))"#;

fn module(body: &str) -> Arc<Module> {
    let bytes = wat::parse_str(format!("(module {COMMON} {body})")).unwrap();
    Module::compile(&bytes).unwrap()
}

fn declared(
    module: &Arc<Module>,
    parameters: &[ValueType],
    returns: ValueType,
    limits: Limits,
) -> Result<ScalarFunction, GuestError> {
    let declaration = Declaration {
        name: "f".to_string(),
        kind: Kind::Scalar,
        module: module.hash().to_string(),
        symbol: "f".to_string(),
        parameters: parameters.to_vec(),
        returns,
        limits,
    };
    ScalarFunction::new(declaration, Arc::clone(module))
}

fn function(body: &str, parameters: &[ValueType], returns: ValueType) -> ScalarFunction {
    declared(&module(body), parameters, returns, Limits::default()).unwrap()
}

fn call(function: &ScalarFunction, columns: &[ArrayRef]) -> Result<ArrayRef, String> {
    let number_rows = columns.first().map_or(0, |column| column.len());
    let args = ScalarFunctionArgs {
        args: columns.iter().cloned().map(ColumnarValue::Array).collect(),
        arg_fields: Vec::new(),
        number_rows,
        return_field: Arc::new(arrow::datatypes::Field::new(
            "f",
            function.declaration().returns.to_arrow(),
            true,
        )),
        config_options: Arc::new(ConfigOptions::default()),
    };
    let value = function
        .invoke_with_args(args)
        .map_err(|error| error.to_string())?;
    Ok(value.into_array(number_rows).unwrap())
}

fn fails(body: &str, parameters: &[ValueType], returns: ValueType, column: ArrayRef) -> String {
    call(&function(body, parameters, returns), &[column]).unwrap_err()
}

fn numbers() -> ArrayRef {
    Arc::new(Int64Array::from(vec![Some(1), None, Some(3)]))
}

/// A function whose result is described by these six numbers, for three rows.
fn described(numbers: [i32; 6]) -> String {
    let stores = numbers.iter().enumerate().map(|(place, number)| {
        format!(
            "(i32.store (i32.const {}) (i32.const {number}))",
            1024 + 4 * place
        )
    });
    let stores: String = stores.collect();
    format!(r#"(func (export "f") (param i32) (result i32) {stores} (i32.const 1024))"#)
}

#[test]
fn values_of_every_type_go_in_and_come_out() {
    let zoned = TimestampNanosecondArray::from(vec![Some(-1), None]).with_timezone("UTC");
    let exact = Decimal128Array::from(vec![Some(12_345), None, Some(-9)]);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)])),
        Arc::new(Int8Array::from(vec![Some(-1), None, Some(i8::MAX)])),
        Arc::new(Int16Array::from(vec![Some(-1), None, Some(i16::MAX)])),
        Arc::new(Int32Array::from(vec![Some(-1), None, Some(i32::MAX)])),
        Arc::new(Int64Array::from(vec![Some(-1), None, Some(i64::MAX)])),
        Arc::new(Float32Array::from(vec![Some(-0.5), None, Some(f32::MAX)])),
        Arc::new(Float64Array::from(vec![Some(-0.5), None, Some(f64::MAX)])),
        Arc::new(StringArray::from(vec![
            Some("é"),
            None,
            Some(""),
            Some("日本"),
        ])),
        Arc::new(BinaryArray::from(vec![
            Some(b"\xff".as_slice()),
            None,
            Some(b""),
        ])),
        Arc::new(Date32Array::from(vec![Some(-1), None, Some(20_000)])),
        Arc::new(TimestampMillisecondArray::from(vec![
            Some(-1),
            None,
            Some(5),
        ])),
        Arc::new(zoned),
        Arc::new(exact.with_precision_and_scale(10, 2).unwrap()),
        Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>([
            Some(vec![Some(1), None]),
            None,
            Some(vec![]),
            Some(vec![Some(4)]),
        ])),
    ];
    let same = module(SAME);
    for column in columns {
        let value_type = ValueType::from_arrow(column.data_type()).unwrap();
        let f = declared(
            &same,
            std::slice::from_ref(&value_type),
            value_type.clone(),
            Limits::default(),
        )
        .unwrap();
        assert_eq!(&call(&f, &[Arc::clone(&column)]).unwrap(), &column);
        let rest = column.slice(1, column.len() - 1);
        let given = call(&f, &[Arc::clone(&rest)]).unwrap();
        assert_eq!(&given, &rest, "rows from the second on of {value_type:?}");
    }
}

#[test]
fn a_slice_that_begins_within_a_byte_of_bits_is_moved() {
    let values = (0..40).map(|n| (n % 5 != 0).then_some(n % 3 == 0));
    let column: ArrayRef = Arc::new(BooleanArray::from(values.collect::<Vec<_>>()));
    let f = function(SAME, &[ValueType::Boolean], ValueType::Boolean);
    for from in 0..17 {
        let part = column.slice(from, 40 - from - 2);
        assert_eq!(&call(&f, &[Arc::clone(&part)]).unwrap(), &part);
    }
}

/// Adds two columns where both are there; a NULL of either is one of the result.
const SUM: &str = r#"
  (func (export "f") (param $in i32) (result i32)
    (local $rows i32) (local $a i32) (local $b i32) (local $out i32) (local $i i32) (local $bits i32)
    (local.set $rows (i32.load (local.get $in)))
    (local.set $a (i32.load offset=20 (local.get $in)))
    (local.set $b (i32.load offset=44 (local.get $in)))
    (local.set $out (call $room (i32.mul (local.get $rows) (i32.const 8))))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $i) (local.get $rows)))
      (i64.store (i32.add (local.get $out) (i32.shl (local.get $i) (i32.const 3)))
        (i64.add
          (i64.load (i32.add (local.get $a) (i32.shl (local.get $i) (i32.const 3))))
          (i64.load (i32.add (local.get $b) (i32.shl (local.get $i) (i32.const 3))))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $next)))
    (i32.store (i32.const 1024) (i32.const 5))
    (i32.store (i32.const 1028) (i32.const -1))
    (i32.store (i32.const 1032) (i32.load offset=16 (local.get $in)))
    (i32.store (i32.const 1036) (local.get $out))
    (i32.const 1024))
"#;

#[test]
fn a_function_of_two_columns_sees_both_and_grows_its_memory() {
    let f = function(SUM, &[ValueType::Int64, ValueType::Int64], ValueType::Int64);
    let rows = 100_000_i64;
    let a: ArrayRef = Arc::new(Int64Array::from_iter(
        (0..rows).map(|n| (n % 7 != 0).then_some(n)),
    ));
    let b: ArrayRef = Arc::new(Int64Array::from_iter_values((0..rows).map(|n| n * 10)));
    let sum = call(&f, &[a, b]).unwrap();
    let expected = Int64Array::from_iter((0..rows).map(|n| (n % 7 != 0).then_some(n * 11)));
    assert_eq!(sum.as_ref(), &expected as &dyn Array);
}

#[test]
fn a_batch_that_is_large_for_the_memory_comes_in_parts() {
    let limits = Limits {
        memory_bytes: 1 << 20,
        ..Limits::default()
    };
    let f = declared(
        &module(SUM),
        &[ValueType::Int64, ValueType::Int64],
        ValueType::Int64,
        limits,
    )
    .unwrap();
    let column: ArrayRef = Arc::new(Int64Array::from_iter_values(0..200_000));
    let sum = call(&f, &[Arc::clone(&column), column]).unwrap();
    let expected = Int64Array::from_iter_values((0..200_000).map(|n| n * 2));
    assert_eq!(sum.as_ref(), &expected as &dyn Array);
}

#[test]
fn no_rows_ask_nobody_and_constants_ask_for_one_row() {
    let ends = function(
        "(func (export \"f\") (param i32) (result i32) unreachable)",
        &[ValueType::Int64],
        ValueType::Int64,
    );
    let empty: ArrayRef = Arc::new(Int64Array::from(Vec::<i64>::new()));
    assert_eq!(call(&ends, &[empty]).unwrap().len(), 0);
    let rows = r#"(func (export "f") (param $in i32) (result i32)
        (i64.store (i32.const 2048) (i64.extend_i32_u (i32.load (local.get $in))))
        (i32.store (i32.const 1024) (i32.const 5)) (i32.store (i32.const 1036) (i32.const 2048)) (i32.const 1024))"#;
    let rows = function(rows, &[], ValueType::Int64);
    let args = ScalarFunctionArgs {
        args: Vec::new(),
        arg_fields: Vec::new(),
        number_rows: 1_000,
        return_field: Arc::new(arrow::datatypes::Field::new(
            "f",
            ValueType::Int64.to_arrow(),
            true,
        )),
        config_options: Arc::new(ConfigOptions::default()),
    };
    match rows.invoke_with_args(args).unwrap() {
        ColumnarValue::Scalar(value) => assert_eq!(value, 1_i64.into()),
        ColumnarValue::Array(_) => panic!("a constant is one value"),
    }
}

#[test]
fn a_trap_ends_the_call_with_its_reason() {
    let trap = "(func (export \"f\") (param i32) (result i32) unreachable)";
    let error = fails(trap, &[ValueType::Int64], ValueType::Int64, numbers());
    assert!(
        error.contains("function f failed: it was ended by a trap"),
        "{error}"
    );
    let division =
        r#"(func (export "f") (param i32) (result i32) (i32.div_s (i32.const 1) (i32.const 0)))"#;
    let error = fails(division, &[ValueType::Int64], ValueType::Int64, numbers());
    assert!(error.contains("integer divide by zero"), "{error}");
    let deep = r#"(func $f (export "f") (param $n i32) (result i32) (i32.add (call $f (local.get $n)) (i32.const 1)))"#;
    let error = fails(deep, &[ValueType::Int64], ValueType::Int64, numbers());
    assert!(error.contains("call stack exhausted"), "{error}");
}

#[test]
fn a_function_goes_on_with_another_instance_behind_a_trap() {
    let body = r#"(func (export "f") (param $in i32) (result i32)
        (if (i32.eq (i32.load (local.get $in)) (i32.const 1)) (then unreachable))
        (i32.add (local.get $in) (i32.const 8)))"#;
    let f = function(body, &[ValueType::Int64], ValueType::Int64);
    call(&f, &[numbers().slice(0, 1)]).unwrap_err();
    assert_eq!(&call(&f, &[numbers()]).unwrap(), &numbers());
}

#[test]
fn an_endless_loop_ends_in_time() {
    let body = r#"(func (export "f") (param i32) (result i32) (loop $on (br $on)) (i32.const 0))"#;
    let limits = Limits {
        timeout_ms: 50,
        ..Limits::default()
    };
    let f = declared(&module(body), &[ValueType::Int64], ValueType::Int64, limits).unwrap();
    let begin = Instant::now();
    let error = call(&f, &[numbers()]).unwrap_err();
    assert!(error.contains("longer than the 50ms"), "{error}");
    assert!(error.contains("table.exec.udf.timeout"), "{error}");
    assert!(begin.elapsed() < Duration::from_secs(5));
}

#[test]
fn memory_beyond_the_limit_is_refused() {
    let body = r#"(func (export "f") (param i32) (result i32)
        (if (i32.eq (memory.grow (i32.const 100)) (i32.const -1)) (then unreachable)) (i32.const 0))"#;
    let limits = Limits {
        memory_bytes: 1 << 20,
        ..Limits::default()
    };
    let f = declared(&module(body), &[ValueType::Int64], ValueType::Int64, limits).unwrap();
    let error = call(&f, &[numbers()]).unwrap_err();
    assert!(error.contains("more than the 1048576 bytes"), "{error}");
    assert!(error.contains("table.exec.udf.memory"), "{error}");
    let large = "(module (memory (export \"memory\") 100) (func (export \"levada_alloc\") (param i32) (result i32) (i32.const 0)) \
                 (func (export \"f\") (param i32) (result i32) (i32.const 0)))";
    let large = Module::compile(&wat::parse_str(large).unwrap()).unwrap();
    let large = declared(&large, &[ValueType::Int64], ValueType::Int64, limits).unwrap();
    let error = large.try_out().unwrap_err();
    assert!(
        error.message.contains("more than the 1048576 bytes"),
        "{error}"
    );
}

#[test]
fn addresses_outside_of_the_memory_are_refused() {
    let check = |body: String, returns: ValueType, expected: &str| {
        let error = fails(&body, &[ValueType::Int64], returns, numbers());
        assert!(error.contains(expected), "{error}");
    };
    let at = |address: i32| {
        format!(r#"(func (export "f") (param i32) (result i32) (i32.const {address}))"#)
    };
    check(at(-8), ValueType::Int64, "descriptor of its result");
    check(at(65_530), ValueType::Int64, "descriptor of its result");
    check(at(0), ValueType::Int64, "it gave no result");
    check(
        described([5, 0, 0, -4, 0, 0]),
        ValueType::Int64,
        "values of its result",
    );
    check(
        described([5, 0, 0, 65_520, 0, 0]),
        ValueType::Int64,
        "values of its result",
    );
    check(
        described([5, -1, -1, 2048, 0, 0]),
        ValueType::Int64,
        "validity of its result",
    );
    check(
        described([8, 0, 0, 2048, -4, 10]),
        ValueType::String,
        "offsets of its result",
    );
    check(
        described([8, 0, 0, 2048, 2048, -1]),
        ValueType::String,
        "values of its result",
    );
    check(
        described([1, 0, 0, 65_536, 0, 0]),
        ValueType::Boolean,
        "values of its result",
    );
}

#[test]
fn what_a_result_says_of_itself_is_checked() {
    let error = fails(
        &described([4, 0, 0, 2048, 0, 0]),
        &[ValueType::Int64],
        ValueType::Int64,
        numbers(),
    );
    assert!(
        error.contains("has the type 4, and Int64 is declared as 5"),
        "{error}"
    );
    let error = fails(
        &described([5, 2, 0, 2048, 0, 0]),
        &[ValueType::Int64],
        ValueType::Int64,
        numbers(),
    );
    assert!(error.contains("says that 2 values are NULL"), "{error}");
}

/// A function with strings that begin and end at these offsets of `data`.
fn strings(offsets: [i32; 4], data: &str, size: i32) -> String {
    let bytes: String = offsets
        .iter()
        .flat_map(|at| at.to_le_bytes())
        .map(|byte| format!("\\{byte:02x}"))
        .collect();
    let described = described([8, 0, 0, 2048, 3072, size]);
    format!(r#"(data (i32.const 3072) "{bytes}") (data (i32.const 2048) "{data}") {described}"#)
}

#[test]
fn strings_are_checked() {
    let fails = |body: String| fails(&body, &[ValueType::Int64], ValueType::String, numbers());
    let fine = function(
        &strings([1, 2, 2, 4], "abcd", 4),
        &[ValueType::Int64],
        ValueType::String,
    );
    let expected = StringArray::from(vec!["b", "", "cd"]);
    assert_eq!(
        call(&fine, &[numbers()]).unwrap().as_ref(),
        &expected as &dyn Array
    );
    let error = fails(strings([0, 2, 1, 4], "abcd", 4));
    assert!(error.contains("offsets that do not rise"), "{error}");
    let error = fails(strings([-1, 1, 2, 4], "abcd", 4));
    assert!(error.contains("negative or beyond"), "{error}");
    let error = fails(strings([0, 1, 2, 5], "abcd", 4));
    assert!(error.contains("negative or beyond"), "{error}");
    let error = fails(strings([0, 1, 2, 4], "ab\\ff\\fe", 4));
    assert!(error.contains("not UTF-8"), "{error}");
    let error = fails(strings([0, 1, 2, 4], "a\\c3\\a9d", 4));
    assert!(
        error.contains("not UTF-8"),
        "in the middle of a character: {error}"
    );
}

#[test]
fn decimals_have_no_more_digits_than_declared() {
    let (wide, narrow) = (ValueType::Decimal(10, 2), ValueType::Decimal(4, 2));
    let column = Decimal128Array::from(vec![Some(12_345)]);
    let column: ArrayRef = Arc::new(column.with_precision_and_scale(10, 2).unwrap());
    let error = fails(SAME, &[wide], narrow, Arc::clone(&column));
    assert!(error.contains("more than 4 digits"), "{error}");
}

#[test]
fn an_allocator_that_gives_what_it_has_not_is_found_out() {
    let check = |address: &str| {
        let text = format!(
            "(module (memory (export \"memory\") 1) (func (export \"levada_alloc\") (param i32) (result i32) {address}) \
             (func (export \"f\") (param i32) (result i32) (i32.const 0)))"
        );
        let module = Module::compile(&wat::parse_str(text).unwrap()).unwrap();
        let f = declared(
            &module,
            &[ValueType::Int64],
            ValueType::Int64,
            Limits::default(),
        )
        .unwrap();
        let error = call(&f, &[numbers()]).unwrap_err();
        assert!(
            error.contains("levada_alloc(72) gave the address"),
            "{error}"
        );
    };
    check("(i32.const 0)");
    check("(i32.const 8)");
    check("(i32.const 65520)");
    check("(i32.const -16)");
}

#[test]
fn a_guest_says_why_it_gives_no_result() {
    let body = r#"
        (data (i32.const 1024) "\08\04\00\00\05\00\00\00no é")
        (func (export "levada_error") (result i32) (i32.const 1024))
        (func (export "f") (param i32) (result i32) (i32.const 0))"#;
    let error = fails(body, &[ValueType::Int64], ValueType::Int64, numbers());
    assert!(error.ends_with("function f failed: no é"), "{error}");
    let body = r#"
        (func (export "levada_error") (result i32) (i32.const -1))
        (func (export "f") (param i32) (result i32) (i32.const 0))"#;
    let error = fails(body, &[ValueType::Int64], ValueType::Int64, numbers());
    assert!(error.contains("error message"), "{error}");
}

#[test]
fn a_guest_is_told_when_its_block_has_been_read() {
    let body = r#"
        (global $freed (mut i64) (i64.const 0))
        (func (export "levada_free") (param $at i32) (param $size i32)
          (global.set $freed (i64.extend_i32_u (i32.mul (local.get $size) (i32.eq (local.get $at) (i32.const 4096))))))
        (func (export "f") (param $in i32) (result i32)
          (i64.store (i32.const 2048) (global.get $freed))
          (i32.store (i32.const 1024) (i32.const 5)) (i32.store (i32.const 1036) (i32.const 2048)) (i32.const 1024))"#;
    let f = function(body, &[ValueType::Int64], ValueType::Int64);
    let one = numbers().slice(0, 1);
    let first = call(&f, &[Arc::clone(&one)]).unwrap();
    assert_eq!(first.as_ref(), &Int64Array::from(vec![0]) as &dyn Array);
    let second = call(&f, &[one]).unwrap();
    assert_eq!(second.as_ref(), &Int64Array::from(vec![40]) as &dyn Array);
}

#[test]
fn a_module_that_lacks_something_is_refused_with_what_it_has() {
    let check = |text: &str, expected: &str| {
        let compiled = Module::compile(&wat::parse_str(text).unwrap());
        let error = compiled
            .and_then(|module| module.check(&[("f", 1)]))
            .unwrap_err();
        let shown = format!("{} {}", error.message, error.hint.unwrap_or_default());
        assert!(shown.contains(expected), "{shown}");
    };
    let alloc = r#"(func (export "levada_alloc") (param i32) (result i32) (i32.const 0))"#;
    let memory = r#"(memory (export "memory") 1)"#;
    check("(module)", "does not export its memory");
    check(
        &format!("(module {memory})"),
        "exports no function levada_alloc",
    );
    check(
        &format!("(module {memory} {alloc})"),
        "exports no function f it exports levada_alloc",
    );
    check(
        &format!("(module {memory} {alloc} (memory $other 1))"),
        "not valid",
    );
    check(
        &format!(
            r#"(module {memory} {alloc} (func (export "f") (param i64) (result i32) (i32.const 0)))"#
        ),
        "function f is (i64) -> (i32), and has to be (i32) -> (i32)",
    );
    check(
        &format!(
            r#"(module {memory} {alloc} (func (export "f") (param i32 i32) (result i32) (i32.const 0)))"#
        ),
        "function f is (i32, i32) -> (i32)",
    );
    check(
        &format!(r#"(module {memory} {alloc} (global (export "f") i32 (i32.const 0)))"#),
        "is no function",
    );
    check(
        r#"(module (import "wasi_snapshot_preview1" "random_get" (func (param i32 i32) (result i32))))"#,
        "imports wasi_snapshot_preview1.random_get",
    );
}

#[test]
fn what_is_no_module_is_refused() {
    assert!(
        Module::compile(b"")
            .unwrap_err()
            .message
            .contains("no WebAssembly module")
    );
    assert!(
        Module::compile(b"\0asmgarbage")
            .unwrap_err()
            .message
            .contains("not valid")
    );
    let large = vec![0; MAX_MODULE_BYTES + 1];
    assert!(
        Module::compile(&large)
            .unwrap_err()
            .message
            .contains("are the most")
    );
}

#[test]
fn a_module_is_compiled_once() {
    let (one, other) = (module(SAME), module(SAME));
    assert!(Arc::ptr_eq(&one, &other));
    assert_ne!(one.hash(), module(SUM).hash());
}

/// The module that the golden cases use.
fn example() -> Arc<Module> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/sql/modules/example.wat"
    );
    Module::compile(&wat::parse_file(path).unwrap()).unwrap()
}

fn aggregate(
    symbol: &str,
    parameters: usize,
    limits: Limits,
) -> Result<ScalarFunction, GuestError> {
    let module = example();
    let declaration = Declaration {
        name: symbol.to_string(),
        kind: Kind::Aggregate,
        module: module.hash().to_string(),
        symbol: symbol.to_string(),
        parameters: vec![ValueType::Int64; parameters],
        returns: ValueType::Int64,
        limits,
    };
    ScalarFunction::new(declaration, module)
}

#[test]
fn an_aggregate_sees_the_rows_of_each_group() {
    let total = aggregate("total", 1, Limits::default()).unwrap();
    let lists = ListArray::from_iter_primitive::<Int64Type, _, _>([
        Some(vec![Some(1), None, Some(3)]),
        Some(vec![]),
        None,
        Some(vec![Some(10)]),
        Some(vec![None]),
    ]);
    let lists: ArrayRef = Arc::new(lists);
    let sums = call(&total, &[Arc::clone(&lists)]).unwrap();
    let expected = Int64Array::from(vec![Some(4), None, None, Some(10), Some(0)]);
    assert_eq!(sums.as_ref(), &expected as &dyn Array);
    let none = call(&total, &[lists.slice(1, 2)]).unwrap();
    let expected = Int64Array::from(vec![None, None]);
    assert_eq!(
        none.as_ref(),
        &expected as &dyn Array,
        "the same as beside others"
    );
}

#[test]
fn an_aggregate_of_two_columns_takes_many_rows_in_parts() {
    let limits = Limits {
        memory_bytes: 1 << 20,
        ..Limits::default()
    };
    let products = aggregate("sum_of_products", 2, limits).unwrap();
    let rows = 100_000_i64;
    let a: ArrayRef = Arc::new(Int64Array::from_iter_values(0..rows));
    let b: ArrayRef = Arc::new(Int64Array::from_iter_values((0..rows).map(|n| n % 3)));
    let field = |name: &str| Arc::new(Field::new(name, DataType::Int64, true));
    let pairs = StructArray::from(vec![(field("c0"), a), (field("c1"), b)]);
    let item = Arc::new(Field::new("item", pairs.data_type().clone(), true));
    let offsets = OffsetBuffer::from_lengths([10, 99_990]);
    let lists: ArrayRef = Arc::new(ListArray::new(item, offsets, Arc::new(pairs), None));
    let sums = call(&products, &[lists]).unwrap();
    let sum = |range: std::ops::Range<i64>| range.map(|n| n * (n % 3)).sum::<i64>();
    let expected = Int64Array::from(vec![sum(0..10), sum(10..rows)]);
    assert_eq!(sums.as_ref(), &expected as &dyn Array);
}

#[test]
fn an_aggregate_needs_both_of_its_exports() {
    let error = aggregate("same", 1, Limits::default()).unwrap_err();
    assert!(
        error.message.contains("exports no function same_update"),
        "{error}"
    );
    assert!(error.hint.unwrap().contains("(i32, i32) -> (i32)"));
}

#[test]
fn the_module_of_the_documentation_works() {
    let page = include_str!("../../docs/wasm.md");
    let (_, text) = page.split_once("```wat\n").unwrap();
    let (text, _) = text.split_once("```").unwrap();
    let module = Module::compile(&wat::parse_str(text).unwrap()).unwrap();
    let declaration = Declaration {
        name: "twice".to_string(),
        kind: Kind::Scalar,
        module: module.hash().to_string(),
        symbol: "twice".to_string(),
        parameters: vec![ValueType::Int64],
        returns: ValueType::Int64,
        limits: Limits::default(),
    };
    let twice = ScalarFunction::new(declaration, module).unwrap();
    let doubled = call(&twice, &[numbers()]).unwrap();
    let expected = Int64Array::from(vec![Some(2), None, Some(6)]);
    assert_eq!(doubled.as_ref(), &expected as &dyn Array);
    let many: ArrayRef = Arc::new(Int64Array::from_iter_values(0..1_000_000));
    let doubled = call(&twice, &[many]).unwrap();
    assert_eq!(
        doubled.as_primitive::<Int64Type>().value(999_999),
        1_999_998
    );
}
