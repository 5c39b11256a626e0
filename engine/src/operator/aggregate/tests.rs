#![allow(clippy::unwrap_used)]
use arrow::array::{Array, AsArray, Float64Array, StringArray, new_null_array};
use arrow::compute::{CastOptions, cast, cast_with_options, concat, sort};
use arrow::datatypes::{Float64Type, IntervalUnit, TimeUnit};

use super::accumulator::{self, Rows};
use super::groups::GroupTable;
use super::lane::{Codec, Lane, LaneKind, Values};
use super::rows::{EncodedRows, RowsDecoder};
use super::*;
use crate::graph::AggregateFunction;
use crate::key::KeyGroup;
use crate::operator::testing::model;

mod edits;
mod history;

fn array(texts: &[Option<&str>], data_type: &DataType) -> ArrayRef {
    let texts: ArrayRef = Arc::new(StringArray::from(texts.to_vec()));
    let strict = CastOptions {
        safe: false,
        ..Default::default()
    };
    cast_with_options(&texts, data_type, &strict).unwrap()
}

fn samples() -> Vec<ArrayRef> {
    use DataType as T;
    let numbers = [Some("0"), Some("-1"), None, Some("100"), Some("7")];
    let positive = [Some("0"), None, Some("255"), Some("7")];
    let floats = [
        Some("0"),
        Some("-0.5"),
        None,
        Some("-1.5"),
        Some("inf"),
        Some("-inf"),
        Some("NaN"),
    ];
    let texts = [
        Some(""),
        Some("b"),
        None,
        Some("a\0"),
        Some("äöü, longer than twelve bytes"),
    ];
    let times = [
        Some("1969-12-31T23:59:59.999"),
        None,
        Some("2023-11-14T22:13:20.5"),
    ];
    let mut arrays = vec![];
    for t in [
        T::Int8,
        T::Int16,
        T::Int32,
        T::Int64,
        T::Decimal128(9, 2),
        T::Decimal256(50, 3),
    ] {
        arrays.push(array(&numbers, &t));
    }
    for t in [
        T::Decimal32(7, 1),
        T::Decimal64(12, 3),
        T::Duration(TimeUnit::Second),
    ] {
        let decimals = cast(&array(&numbers, &T::Int64), &t).unwrap();
        arrays.push(decimals);
    }
    for t in [T::UInt8, T::UInt16, T::UInt32, T::UInt64] {
        arrays.push(array(&positive, &t));
    }
    arrays.push(array(
        &[
            Some("18446744073709551615"),
            Some("0"),
            Some("9223372036854775808"),
        ],
        &T::UInt64,
    ));
    for t in [T::Float32, T::Float64] {
        arrays.push(array(&floats, &t));
    }
    for t in [
        T::Utf8,
        T::LargeUtf8,
        T::Utf8View,
        T::Binary,
        T::LargeBinary,
        T::BinaryView,
    ] {
        arrays.push(array(&texts, &t));
    }
    for unit in [
        TimeUnit::Second,
        TimeUnit::Millisecond,
        TimeUnit::Microsecond,
        TimeUnit::Nanosecond,
    ] {
        arrays.push(array(&times, &T::Timestamp(unit, None)));
        arrays.push(array(&times, &T::Timestamp(unit, Some("+01:00".into()))));
    }
    arrays.push(array(
        &[Some("1969-12-31"), None, Some("2023-11-14")],
        &T::Date32,
    ));
    arrays.push(array(
        &[Some("1969-12-31"), None, Some("2023-11-14")],
        &T::Date64,
    ));
    arrays.push(array(
        &[Some("01:02:03.004"), None],
        &T::Time32(TimeUnit::Millisecond),
    ));
    arrays.push(array(
        &[Some("01:02:03.004"), None],
        &T::Time64(TimeUnit::Nanosecond),
    ));
    arrays.push(array(&[Some("true"), None, Some("false")], &T::Boolean));
    arrays.push(array(
        &[Some("1 month"), None],
        &T::Interval(IntervalUnit::MonthDayNano),
    ));
    let months = cast(
        &array(&numbers, &T::Int32),
        &T::Interval(IntervalUnit::YearMonth),
    )
    .unwrap();
    arrays.push(months);
    arrays.push(new_null_array(&T::Null, 3));
    arrays.push(new_null_array(&T::FixedSizeBinary(3), 2));
    let list = model::input();
    let structs = arrow::array::StructArray::from(arrow::array::RecordBatch::new_empty(list));
    arrays.push(concat(&[&structs, &new_null_array(structs.data_type(), 2)]).unwrap());
    arrays
}

#[test]
fn changes_are_ordered_by_key_group_and_key() {
    // Equal in their first 14 bytes, some of them to the end of the shorter one, or but for zeros.
    let texts = [
        "",
        "a",
        "a\0",
        "ab",
        "a long beginning",
        "a long beginning\0",
        "a long beginnings",
    ];
    let keys: Vec<Option<&str>> = texts.iter().flat_map(|t| [Some(*t), Some(*t)]).collect();
    let key_groups: Vec<KeyGroup> = (0..keys.len())
        .map(|at| (at % 2 * 300) as KeyGroup)
        .collect();
    let codec = Codec::new(&DataType::Utf8).unwrap();
    let mut shuffled: Vec<usize> = (0..keys.len()).collect();
    for turn in 0..keys.len() {
        shuffled.rotate_left(turn);
        let texts: Vec<_> = shuffled.iter().map(|at| keys[*at]).collect();
        let groups: Vec<_> = shuffled.iter().map(|at| key_groups[*at]).collect();
        let lane = codec.encode(&array(&texts, &DataType::Utf8)).unwrap();
        for prefix in ["", "prefix: the same"] {
            let encoded = EncodedRows::encode(std::slice::from_ref(&lane), texts.len(), |_| {
                prefix.as_bytes()
            });
            let encoded = encoded.unwrap();
            let order = persist::in_order(&encoded, &groups, prefix.len());
            let found = order.iter().map(|at| *at as usize);
            let found: Vec<_> = found.map(|at| (groups[at], encoded.row(at))).collect();
            let mut sorted = found.clone();
            sorted.sort_unstable();
            assert_eq!(found, sorted);
            assert_eq!(found.len(), texts.len());
        }
    }
}

#[test]
fn every_type_comes_back_from_its_lane_and_from_its_row() {
    for array in samples() {
        let sliced = array.slice(1, array.len() - 1);
        for array in [array, sliced] {
            let codec = Codec::new(array.data_type()).unwrap();
            let lane = codec.encode(&array).unwrap();
            let back = codec.decode(lane.clone()).unwrap();
            assert_eq!(&back, &array, "{}", array.data_type());
            let rows = EncodedRows::encode(&[lane], array.len(), |_| b"prefix").unwrap();
            let mut decoder = RowsDecoder::new([&codec]);
            for row in 0..array.len() {
                let row = rows.row(row).strip_prefix(b"prefix").unwrap();
                decoder.push_all(row).unwrap();
            }
            let lane = decoder.finish().unwrap().pop().unwrap();
            assert_eq!(
                &codec.decode(lane).unwrap(),
                &array,
                "{}",
                array.data_type()
            );
        }
    }
}

#[test]
fn floats_that_compare_as_equal_are_one_value() {
    assert_eq!(lane::float_to_lane(-0.0), lane::float_to_lane(0.0));
    let quiet = f64::from_bits(f64::NAN.to_bits() | 1);
    assert_eq!(lane::float_to_lane(quiet), lane::float_to_lane(f64::NAN));
    assert_eq!(
        lane::float_to_lane(-f64::NAN),
        lane::float_to_lane(f64::NAN)
    );
    assert!(lane::float_to_lane(f64::INFINITY) < lane::float_to_lane(f64::NAN));
}

#[test]
fn the_order_of_lanes_is_the_order_of_values() {
    for array in samples() {
        let codec = Codec::new(array.data_type()).unwrap();
        if !codec.is_ordered() || array.data_type() == &DataType::Null {
            continue;
        }
        let sorted = sort(&array, None).unwrap();
        let sorted = sorted.slice(sorted.null_count(), sorted.len() - sorted.null_count());
        let lane = codec.encode(&sorted).unwrap();
        let ordered = match &lane.values {
            Values::I64(values) => values.windows(2).all(|w| w[0] <= w[1]),
            Values::I128(values) => values.windows(2).all(|w| w[0] <= w[1]),
            Values::Bytes(values) => {
                (1..values.len()).all(|i| values.value(i - 1) <= values.value(i))
            }
        };
        assert!(ordered, "{}", array.data_type());
    }
}

#[test]
fn damaged_rows_are_refused() {
    let codecs = [DataType::Int64, DataType::Utf8].map(|t| Codec::new(&t).unwrap());
    let read = |bytes: &[u8]| RowsDecoder::new(&codecs).push_all(bytes);
    assert!(read(&[0, 0]).is_ok());
    assert!(read(&[1, 0, 0, 0, 0, 0, 0, 0, 9, 1, 0, 0, 0, 1, b'x']).is_ok());
    for damaged in [
        &[][..],
        &[0],
        &[2, 0],
        &[0, 0, 0],
        &[1, 5],
        &[0, 1, 255, 255, 255, 255, 1],
    ] {
        assert!(read(damaged).is_err(), "{damaged:?}");
    }
}

fn strings(texts: &[Option<&str>]) -> Lane {
    let codec = Codec::new(&DataType::Utf8).unwrap();
    codec.encode(&array(texts, &DataType::Utf8)).unwrap()
}

#[test]
fn keys_that_share_a_hash_are_different_groups() {
    let mut table = GroupTable::new([LaneKind::Bytes]);
    let keys = [strings(&[
        Some("a"),
        Some("b"),
        None,
        Some("a"),
        Some(""),
        Some("b"),
    ])];
    let mut groups = vec![];
    table.intern_hashed(&keys, &[7; 6], &mut groups).unwrap();
    assert_eq!(groups, [0, 1, 2, 0, 3, 1]);
    assert_eq!(table.len(), 4);
    let keys = [strings(&[Some("b"), Some("c"), None])];
    table.intern_hashed(&keys, &[7; 3], &mut groups).unwrap();
    assert_eq!(groups, [1, 4, 2]);
    table.remove(&[1]);
    table.intern_hashed(&keys, &[7; 3], &mut groups).unwrap();
    assert_eq!(groups, [1, 4, 2], "a number is used again, others stay");
    assert_eq!(table.created().collect::<Vec<_>>(), [1]);
}

#[test]
fn bytes_that_are_replaced_are_collected() {
    let mut table = GroupTable::new([LaneKind::Bytes]);
    let mut groups = vec![];
    for round in 0..200 {
        let texts: Vec<String> = (0..50)
            .map(|i| format!("{round}-{i}-{}", "x".repeat(100)))
            .collect();
        let texts: Vec<Option<&str>> = texts.iter().map(|t| Some(t.as_str())).collect();
        let lane = strings(&texts);
        table
            .intern(std::slice::from_ref(&lane), 50, &mut groups)
            .unwrap();
        let stored = table.keys(&groups).unwrap();
        assert!(
            matches!((&stored[0].values, &lane.values), (Values::Bytes(a), Values::Bytes(b)) if a == b)
        );
        table.remove(&groups);
    }
    assert!(table.size_bytes() < 300_000, "{}", table.size_bytes());
}

/// Adds and takes back floats in one group and returns the sum.
fn float_sum(changes: &[(f64, i64)]) -> Option<f64> {
    let call = model::call(AggregateFunction::Sum, false, Some(5), None, "DOUBLE");
    let mut sum = accumulator::create(&call, true, false).unwrap();
    sum.resize(1);
    for (value, sign) in changes {
        let column: ArrayRef = Arc::new(Float64Array::from(vec![*value]));
        let lane = Codec::new(&DataType::Float64)
            .unwrap()
            .encode_argument(&column)
            .unwrap();
        let rows = Rows {
            groups: &[0],
            valid: None,
            signs: Some(&[*sign]),
        };
        sum.update(&rows, Some(&lane)).unwrap();
    }
    let values = sum.values(&[0]).unwrap();
    let values = values.as_primitive::<Float64Type>();
    values.is_valid(0).then(|| values.value(0))
}

#[test]
fn sums_of_floats_forget_what_is_taken_back() {
    assert_eq!(float_sum(&[(1e300, 1), (1.0, 1), (1e300, -1)]), Some(1.0));
    assert_eq!(float_sum(&[(0.1, 1), (0.2, 1), (0.1, -1), (0.2, -1)]), None);
    let infinite = f64::INFINITY;
    assert_eq!(float_sum(&[(2.0, 1), (infinite, 1)]), Some(infinite));
    assert_eq!(
        float_sum(&[(2.0, 1), (infinite, 1), (infinite, -1)]),
        Some(2.0)
    );
    let nan = float_sum(&[(infinite, 1), (-infinite, 1)]).unwrap();
    assert!(nan.is_nan());
    assert_eq!(
        float_sum(&[(2.0, 1), (f64::NAN, 1), (-f64::NAN, -1)]),
        Some(2.0)
    );
}

#[test]
fn the_planner_can_ask_for_schemas() {
    let spec = GroupAggregateSpec {
        keys: vec![1],
        aggregates: vec![
            model::call(AggregateFunction::Avg, false, Some(4), None, "DECIMAL_AVG"),
            model::call(AggregateFunction::Count, true, Some(2), Some(6), "BIGINT"),
            model::call(AggregateFunction::Sum, true, Some(2), None, "BIGINT"),
        ],
        input: model::input().into(),
        input_updating: false,
        partial_input: false,
        emit_update_before: true,
        ttl_ms: 0,
    };
    let names = |schema: SchemaRef| -> Vec<String> {
        schema.fields().iter().map(|f| f.name().clone()).collect()
    };
    assert_eq!(
        names(partial_schema_group(&spec).unwrap()),
        ["s", "aggregate_0_count", "aggregate_0_sum", "distinct_0"]
    );
    assert_eq!(output_schema_group(&spec).unwrap().fields().len(), 4);
}

#[test]
fn what_does_not_fit_its_types_is_refused() {
    let plan = |call: crate::graph::AggregateCall| Plan::new(&[0], &[call], &model::input(), false);
    let mut wrong = model::call(AggregateFunction::Sum, false, Some(2), None, "BIGINT");
    wrong.argument_type.0 = DataType::Utf8;
    assert!(plan(wrong).is_err());
    let filter = model::call(AggregateFunction::Count, false, None, Some(2), "BIGINT");
    assert!(plan(filter).is_err());
    let text = model::call(AggregateFunction::Sum, false, Some(1), None, "BIGINT");
    assert!(accumulator::create(&text, false, false).is_err());
    assert!(Plan::new(&[99], &[], &model::input(), false).is_err());
}

#[test]
fn accumulated_columns_have_names() {
    use accumulator::{partial_fields, partial_names};
    for call in model::calls() {
        for updating in [false, true] {
            let fields = partial_fields(&call, updating, "");
            let fields: Vec<&str> = fields.iter().map(|f| f.name().trim_matches('_')).collect();
            let names = partial_names(fields.len());
            assert!(fields == names || fields.len() == 1, "{fields:?}");
        }
    }
}
