//! Random values of all types, thrown at every function.

use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow::array::{
    Array, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array,
    Int8Array, Int32Array, ListArray, MapArray, NullArray, StructArray, Time32MillisecondArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::cast;
use arrow::datatypes::Fields;
use datafusion::common::ScalarValue;
use datafusion::common::config::ConfigOptions;
use datafusion::logical_expr::registry::FunctionRegistry;
use datafusion::logical_expr::type_coercion::functions::fields_with_udf;
use datafusion::logical_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF};

use super::*;

/// Numbers that follow from a seed, by xorshift.
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Chance(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).max(1))
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(bound).unwrap()).unwrap()
    }
}

const ROWS: usize = 6;

const TEXTS: &[&str] = &[
    "",
    "a",
    "ünï 🦀",
    "12",
    "-1.5e3",
    "(",
    "%",
    "a,b=c",
    "yyyy-MM-dd",
    "'",
    "Europe/Berlin",
    "$.a[0]",
    "{\"a\": [1, null]}",
    "2024-02-29 01:02:03",
    "9999999999",
    "HOST",
    "UTF-16",
    "\\",
    "%s %5d",
    "DAY",
    "http://u@h:1/p?q=1#r",
    "NULL",
    "DEFAULT",
    "JSON",
    "WEEK",
];

const INTS: &[i64] = &[
    0,
    1,
    2,
    3,
    -1,
    -7,
    16,
    44,
    256,
    2_147_483_647,
    i64::MIN,
    i64::MAX,
];

const FLOATS: &[f64] = &[
    0.0,
    -0.0,
    1.5,
    -2.345,
    f64::NAN,
    f64::INFINITY,
    f64::MAX,
    f64::MIN_POSITIVE,
];

/// An index below `count` for each row, or none for NULL.
fn picked(chance: &mut Chance, count: usize) -> Vec<Option<usize>> {
    let mut choice = || (chance.below(5) > 0).then(|| chance.below(count));
    (0..ROWS).map(|_| choice()).collect()
}

fn of<T: Copy>(values: &[T], picked: &[Option<usize>]) -> Vec<Option<T>> {
    let value = |index: &Option<usize>| index.map(|index| values[index]);
    picked.iter().map(value).collect()
}

/// A column of some type with values that are seldom thought of, and NULL.
fn column(chance: &mut Chance) -> ArrayRef {
    let kind = chance.below(18);
    let ints = picked(chance, INTS.len());
    let floats = picked(chance, FLOATS.len());
    let texts = picked(chance, TEXTS.len());
    let mut pick = |count: usize| picked(chance, count);
    let int64 = || Arc::new(Int64Array::from(of(INTS, &ints))) as ArrayRef;
    let words = || Arc::new(StringArray::from(of(TEXTS, &texts))) as ArrayRef;
    match kind {
        0 => Arc::new(NullArray::new(ROWS)),
        1 => Arc::new(BooleanArray::from(of(&[true, false], &pick(2)))),
        2 => Arc::new(Int8Array::from(of(&[0, 1, -1, i8::MIN, i8::MAX], &pick(5)))),
        3 => Arc::new(Int32Array::from(of(
            &[0, 1, -1, 5, i32::MIN, i32::MAX],
            &pick(6),
        ))),
        4 | 5 => int64(),
        6 => Arc::new(Float32Array::from(of(
            &[0.5, -1.0, f32::NAN, f32::MAX],
            &pick(4),
        ))),
        7 => Arc::new(Float64Array::from(of(FLOATS, &floats))),
        8 => {
            let most = 10_i128.pow(38) - 1;
            let values = of(&[0, 5, -5, most, -most], &pick(5));
            let scale = [0, 2, 38][pick(3)[0].unwrap_or(0)];
            let decimals = Decimal128Array::from(values).with_precision_and_scale(38, scale);
            Arc::new(decimals.unwrap())
        }
        9 => Arc::new(BinaryArray::from(of(
            &[&b""[..], b"\xff\x00", b"abc"],
            &pick(3),
        ))),
        10 => Arc::new(Date32Array::from(of(
            &[0, -1, 19_782, i32::MIN, i32::MAX],
            &pick(5),
        ))),
        11 => Arc::new(Time32MillisecondArray::from(of(
            &[0, 45_296_000, 86_399_999],
            &pick(3),
        ))),
        12 => {
            let zone = pick(2)[0].map(|_| "UTC");
            Arc::new(TimestampMillisecondArray::from(of(INTS, &ints)).with_timezone_opt(zone))
        }
        13 => list_of(if pick(2)[0] == Some(0) {
            int64()
        } else {
            words()
        }),
        14 => map_of(words(), int64()),
        15 => {
            let fields = Fields::from(vec![Field::new("a", DataType::Int64, true)]);
            Arc::new(StructArray::new(fields, vec![int64()], None))
        }
        _ => words(),
    }
}

/// Lists of 0 to 3 of the elements, and a NULL.
fn offsets() -> (OffsetBuffer<i32>, NullBuffer) {
    let offsets = OffsetBuffer::new(vec![0, 0, 2, 3, 6, 6, 6].into());
    (
        offsets,
        NullBuffer::from(vec![true, true, true, true, false, true]),
    )
}

fn list_of(elements: ArrayRef) -> ArrayRef {
    let (offsets, nulls) = offsets();
    let item = Arc::new(Field::new_list_field(elements.data_type().clone(), true));
    Arc::new(ListArray::new(item, offsets, elements, Some(nulls)))
}

fn map_of(values: ArrayRef, numbers: ArrayRef) -> ArrayRef {
    let (offsets, nulls) = offsets();
    let keys = Arc::new(Int64Array::from_iter_values(0..6)) as ArrayRef;
    let values = if values.len() == 6 { values } else { numbers };
    let fields = Fields::from(vec![
        Field::new("key", DataType::Int64, false),
        Field::new("value", values.data_type().clone(), true),
    ]);
    let entries = StructArray::new(fields.clone(), vec![keys, values], None);
    let entry = Arc::new(Field::new("entries", DataType::Struct(fields), false));
    Arc::new(MapArray::new(entry, offsets, entries, Some(nulls), false))
}

/// Calls a function as an engine does: types checked, arguments cast, then evaluated. Says what is
/// wrong with what it gives; an error is a fair answer.
fn call(function: &Arc<ScalarUDF>, arguments: &[ArrayRef], constants: &[bool]) -> Option<String> {
    let fields: Vec<_> = arguments
        .iter()
        .map(|array| Arc::new(Field::new("x", array.data_type().clone(), true)))
        .collect();
    let wanted = fields_with_udf(&fields, function.as_ref()).ok()?;
    let mut values = Vec::new();
    for ((array, field), constant) in arguments.iter().zip(&wanted).zip(constants) {
        let array = cast(array, field.data_type()).ok()?;
        values.push(match constant {
            true => ColumnarValue::Scalar(ScalarValue::try_from_array(&array, 1).ok()?),
            false => ColumnarValue::Array(array),
        });
    }
    let scalars: Vec<Option<&ScalarValue>> = values
        .iter()
        .map(|value| match value {
            ColumnarValue::Scalar(scalar) => Some(scalar),
            ColumnarValue::Array(_) => None,
        })
        .collect();
    let arguments = ReturnFieldArgs {
        arg_fields: &wanted,
        scalar_arguments: &scalars,
    };
    let promised = function.return_field_from_args(arguments).ok()?;
    let arguments = ScalarFunctionArgs {
        args: values.clone(),
        arg_fields: wanted,
        number_rows: ROWS,
        return_field: Arc::clone(&promised),
        config_options: Arc::new(ConfigOptions::default()),
    };
    let result = function.invoke_with_args(arguments).ok()?;
    let given = result.data_type();
    if &given != promised.data_type() {
        return Some(format!("{given} instead of {}", promised.data_type()));
    }
    let rows = result.to_array(ROWS).ok()?.len();
    let expected = if values
        .iter()
        .all(|value| matches!(value, ColumnarValue::Scalar(_)))
    {
        // A function of constants may give its one value as a column.
        [1, ROWS].contains(&rows)
    } else {
        rows == ROWS
    };
    (!expected).then(|| format!("{rows} rows"))
}

#[test]
fn no_function_panics_or_breaks_its_promise() {
    let registry = LevadaFunctions::new(Arc::new(|| NOW));
    let own = levada_language::functions::all_shared(Arc::new(|| NOW));
    let mut functions: Vec<Arc<ScalarUDF>> = own
        .into_iter()
        .filter(|function| !function.name().starts_with("__"))
        .collect();
    let names = levada_language::functions::names();
    functions.extend(names.iter().filter_map(|name| registry.udf(name).ok()));
    let mut chance = Chance(0x9E37_79B9_7F4A_7C15);
    let mut failures = Vec::new();
    for function in &functions {
        for _ in 0..150 {
            let arguments: Vec<ArrayRef> =
                (0..chance.below(5)).map(|_| column(&mut chance)).collect();
            let constants: Vec<bool> = arguments.iter().map(|_| chance.below(2) == 0).collect();
            let types: Vec<&DataType> = arguments.iter().map(|array| array.data_type()).collect();
            let outcome = catch_unwind(AssertUnwindSafe(|| call(function, &arguments, &constants)));
            match outcome {
                Ok(None) => {}
                Ok(Some(wrong)) => failures.push(format!("{}{types:?}: {wrong}", function.name())),
                Err(_) => failures.push(format!("{}{types:?} panics", function.name())),
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
