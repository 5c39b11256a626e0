#![allow(clippy::unwrap_used, clippy::panic)]
use std::collections::BTreeMap;

use arrow::array::{
    FixedSizeListArray, LargeListArray, ListArray, MapArray, RecordBatch, StringArray, StructArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{Field, Fields, Int32Type, Schema};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::*;
use crate::operator::testing::{check, drain, lines};

use UnnestColumn::{Element, Field as Side, Input, Ordinality};

/// Rows `id, items` with items as given.
fn rows(items: &[Option<Vec<Option<i32>>>], kinds: &[RowKind]) -> Batch {
    let ids: ArrayRef = Arc::new(Int32Array::from_iter_values(0..items.len() as i32));
    let lists = ListArray::from_iter_primitive::<Int32Type, _, _>(items.iter().cloned());
    with_collection(ids, Arc::new(lists), kinds)
}

fn with_collection(ids: ArrayRef, collection: ArrayRef, kinds: &[RowKind]) -> Batch {
    let fields = vec![
        Field::new("id", DataType::Int32, true),
        Field::new("items", collection.data_type().clone(), true),
    ];
    let rows = RecordBatch::try_new(Arc::new(Schema::new(fields)), vec![ids, collection]).unwrap();
    match kinds {
        [] => Batch::inserts(rows),
        kinds => Batch::with_kinds(rows, kinds.to_vec()).unwrap(),
    }
}

fn operator(batch: &Batch, outer: bool, columns: &[UnnestColumn]) -> Unnest {
    let element = match batch.column(1).data_type() {
        DataType::List(element)
        | DataType::LargeList(element)
        | DataType::FixedSizeList(element, _)
        | DataType::Map(element, _) => element.data_type().clone(),
        other => panic!("{other}"),
    };
    let data_type = |column: &UnnestColumn| match (column, &element) {
        (Input(index), _) => batch.column(*index).data_type().clone(),
        (Side(index), DataType::Struct(fields)) => fields[*index].data_type().clone(),
        (Ordinality, _) => DataType::Int32,
        _ => element.clone(),
    };
    let fields = columns
        .iter()
        .enumerate()
        .map(|(place, column)| Field::new(format!("c{place}"), data_type(column), true));
    let output = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let spec = UnnestSpec {
        collection: 1,
        outer,
        columns: columns.to_vec(),
    };
    Unnest::new(&spec, &batch.schema(), &output).unwrap()
}

/// All that comes of a batch, and the largest part.
fn all(operator: &mut Unnest, batch: Batch) -> (Vec<String>, usize) {
    let mut output = Output::default();
    operator.process(0, batch, 0, &mut output).unwrap();
    let (mut found, mut largest) = (Vec::new(), 0);
    loop {
        for part in output.drain() {
            largest = largest.max(part.num_rows());
            found.extend(lines(&part));
        }
        if !operator.has_more() {
            return (found, largest);
        }
        operator.give_more(&mut output).unwrap();
    }
}

#[test]
fn each_element_comes_with_its_row_its_number_and_its_kind() {
    use RowKind::{Delete, Insert, UpdateAfter, UpdateBefore};
    let items = [
        Some(vec![Some(7), None]),
        Some(vec![]),
        None,
        Some(vec![Some(8)]),
        Some(vec![Some(9)]),
    ];
    let kinds = [Insert, Insert, Delete, UpdateBefore, UpdateAfter];
    let batch = rows(&items, &kinds);
    let mut output = Output::default();
    let columns = [Input(0), Element, Ordinality];
    let mut inner = operator(&batch, false, &columns);
    inner.process(0, batch.clone(), 0, &mut output).unwrap();
    check(
        &mut output,
        "+I | 0 | 7 | 1
         +I | 0 | NULL | 2
         -D | 3 | 8 | 1
         +I | 4 | 9 | 1",
    );
    let mut outer = operator(&batch, true, &columns);
    outer.process(0, batch, 0, &mut output).unwrap();
    check(
        &mut output,
        "+I | 0 | 7 | 1
         +I | 0 | NULL | 2
         +I | 1 | NULL | NULL
         -D | 2 | NULL | NULL
         -D | 3 | 8 | 1
         +I | 4 | 9 | 1",
    );
}

#[test]
fn fields_of_an_element_that_is_null_are_null() {
    let fields = Fields::from(vec![
        Field::new("a", DataType::Int32, true),
        Field::new("b", DataType::Utf8, true),
    ]);
    let a: ArrayRef = Arc::new(Int32Array::from(vec![Some(1), Some(2), None]));
    let b: ArrayRef = Arc::new(StringArray::from(vec!["x", "y", "z"]));
    let nulls = NullBuffer::from(vec![true, false, true]);
    let values = StructArray::new(fields.clone(), vec![a, b], Some(nulls));
    let element = Arc::new(Field::new("item", DataType::Struct(fields), true));
    let offsets = OffsetBuffer::from_lengths([3, 0]);
    let list = ListArray::new(element, offsets, Arc::new(values), None);
    let ids: ArrayRef = Arc::new(Int32Array::from(vec![5, 6]));
    let batch = with_collection(ids, Arc::new(list), &[]);
    let mut unnest = operator(&batch, true, &[Side(1), Input(0), Side(0)]);
    let (found, _) = all(&mut unnest, batch);
    assert_eq!(
        found,
        [
            "+I | x | 5 | 1",
            "+I | NULL | 5 | NULL",
            "+I | z | 5 | NULL",
            "+I | NULL | 6 | NULL"
        ]
    );
}

#[test]
fn a_map_gives_its_entries() {
    let sides = Fields::from(vec![
        Field::new("key", DataType::Utf8, false),
        Field::new("value", DataType::Int32, true),
    ]);
    let keys: ArrayRef = Arc::new(StringArray::from(vec!["a", "b", "c"]));
    let values: ArrayRef = Arc::new(Int32Array::from(vec![Some(1), None, Some(3)]));
    let entries = StructArray::new(sides.clone(), vec![keys, values], None);
    let field = Arc::new(Field::new("entries", DataType::Struct(sides), false));
    let offsets = OffsetBuffer::from_lengths([2, 0, 1]);
    let map = MapArray::new(field, offsets, entries, None, false);
    let ids: ArrayRef = Arc::new(Int32Array::from(vec![1, 2, 3]));
    let batch = with_collection(ids, Arc::new(map), &[]);
    let mut unnest = operator(&batch, false, &[Input(0), Side(0), Side(1)]);
    let (found, _) = all(&mut unnest, batch);
    assert_eq!(
        found,
        ["+I | 1 | a | 1", "+I | 1 | b | NULL", "+I | 3 | c | 3"]
    );
}

#[test]
fn lists_of_other_layouts_and_slices_of_them_have_the_same_elements() {
    let given = [
        Some(vec![Some(1), Some(2)]),
        None,
        Some(vec![Some(3), None]),
    ];
    let ids: ArrayRef = Arc::new(Int32Array::from(vec![0, 1, 2]));
    let large = LargeListArray::from_iter_primitive::<Int32Type, _, _>(given.clone());
    let fixed = FixedSizeListArray::from_iter_primitive::<Int32Type, _, _>(given.clone(), 2);
    let list = ListArray::from_iter_primitive::<Int32Type, _, _>(given);
    let layouts: [ArrayRef; 3] = [Arc::new(list), Arc::new(large), Arc::new(fixed)];
    for collection in layouts {
        let batch = with_collection(ids.clone(), collection, &[]);
        let columns = [Input(0), Element, Ordinality];
        let mut unnest = operator(&batch, false, &columns);
        let wanted = [
            "+I | 0 | 1 | 1",
            "+I | 0 | 2 | 2",
            "+I | 2 | 3 | 1",
            "+I | 2 | NULL | 2",
        ];
        let (found, _) = all(&mut unnest, batch.clone());
        assert_eq!(found, wanted);
        let (found, _) = all(&mut unnest, batch.slice(1, 2));
        assert_eq!(found, wanted[2..]);
    }
}

#[test]
fn without_columns_there_are_still_rows() {
    let batch = rows(&[Some(vec![Some(1); 3]), None], &[]);
    let mut unnest = operator(&batch, false, &[]);
    let mut output = Output::default();
    unnest.process(0, batch, 0, &mut output).unwrap();
    assert_eq!(drain(&mut output), ["+I", "+I", "+I"]);
}

#[test]
fn many_elements_leave_in_parts_and_are_those_of_each_row_in_turn() {
    let mut random = SmallRng::seed_from_u64(0x1e55);
    for round in 0..200 {
        let count = random.random_range(1..12);
        let items: Vec<Option<Vec<Option<i32>>>> = (0..count)
            .map(|_| {
                let length = match random.random_range(0..4) {
                    0 => 0,
                    1 => random.random_range(0..40),
                    _ => random.random_range(0..4),
                };
                let value = |_| (random.random_range(0..5) > 0).then(|| random.random_range(0..9));
                let list = (0..length).map(value).collect();
                Some(list).filter(|_| random.random_range(0..6) > 0)
            })
            .collect();
        let kind = |_| RowKind::from_u8(random.random_range(0..4));
        let kinds: Vec<RowKind> = (0..count).map(kind).collect();
        let outer = round % 2 == 0;
        let batch = rows(&items, &kinds);
        let mut unnest = operator(&batch, outer, &[Element, Ordinality, Input(0)]);
        let (found, largest) = all(&mut unnest, batch);
        assert_eq!(found, model(&items, &kinds, outer));
        assert!(largest <= OUTPUT_ROWS, "{largest}");
    }
}

fn model(items: &[Option<Vec<Option<i32>>>], kinds: &[RowKind], outer: bool) -> Vec<String> {
    let shown = |value: Option<i32>| value.map_or("NULL".to_string(), |v| v.to_string());
    let mut lines = Vec::new();
    for (row, (list, kind)) in items.iter().zip(kinds).enumerate() {
        let kind = if kind.is_retraction() { "-D" } else { "+I" };
        let list = list.clone().unwrap_or_default();
        if list.is_empty() && outer {
            lines.push(format!("{kind} | NULL | NULL | {row}"));
        }
        for (place, value) in list.iter().enumerate() {
            lines.push(format!(
                "{kind} | {} | {} | {row}",
                shown(*value),
                place + 1
            ));
        }
    }
    lines
}

#[test]
fn first_elements_that_an_update_leaves_alone_neither_go_nor_come() {
    use RowKind::{Delete, Insert, UpdateAfter, UpdateBefore};
    let list = |values: &[i32]| Some(values.iter().map(|v| Some(*v)).collect::<Vec<_>>());
    let items = [
        list(&[1, 2, 3]),
        list(&[1, 2, 4, 5]),
        None,
        list(&[]),
        list(&[6]),
        None,
        list(&[7]),
        list(&[7]),
    ];
    let pair = [UpdateBefore, UpdateAfter];
    let kinds = [pair, pair, pair, [Delete, Insert]].concat();
    let batch = rows(&items, &kinds);
    let mut unnest = operator(&batch, true, &[Element, Ordinality]);
    let (found, _) = all(&mut unnest, batch.clone());
    let updates = [
        "-D | 3 | 3",
        "+I | 4 | 3",
        "+I | 5 | 4",
        "-D | 6 | 1",
        "+I | NULL | NULL",
    ];
    assert_eq!(found[..5], updates);
    assert_eq!(found[5..], ["-D | 7 | 1", "+I | 7 | 1"]);
    // With another column that has changed all elements have.
    let mut unnest = operator(&batch, true, &[Element, Input(0)]);
    assert_eq!(all(&mut unnest, batch).0.len(), 13);
}

#[test]
fn updates_add_up_to_what_rows_that_go_and_come_do() {
    let mut random = SmallRng::seed_from_u64(0xadd);
    for round in 0..200 {
        let count = random.random_range(1..20);
        let list = |_| {
            let length = random.random_range(0..12);
            let list: Vec<Option<i32>> = (0..length)
                .map(|place| (random.random_range(0..9) > 0).then_some(place % 3))
                .collect();
            Some(list).filter(|list| list.len() != 1)
        };
        let items: Vec<Option<Vec<Option<i32>>>> = (0..count).map(list).collect();
        let kinds: Vec<RowKind> = (0..count)
            .map(|row| RowKind::from_u8(1 + row % 2))
            .collect();
        let outer = round % 2 == 0;
        let batch = rows(&items, &kinds);
        let mut unnest = operator(&batch, outer, &[Element, Ordinality]);
        let (found, _) = all(&mut unnest, batch);
        let without_row = |line: String| line.rsplit_once(" | ").unwrap().0.to_string();
        let wanted: Vec<String> = model(&items, &kinds, outer)
            .into_iter()
            .map(without_row)
            .collect();
        assert!(found.len() <= wanted.len());
        assert_eq!(added_up(&found), added_up(&wanted));
    }
}

/// How often each row is there in the end; less than never where it was there before.
fn added_up(lines: &[String]) -> BTreeMap<&str, i64> {
    let mut counts = BTreeMap::new();
    for line in lines {
        let (kind, row) = line.split_once(" | ").unwrap();
        *counts.entry(row).or_insert(0) += if kind == "-D" { -1 } else { 1 };
    }
    counts.retain(|_, count| *count != 0);
    counts
}

#[test]
fn columns_that_are_not_there_are_refused() {
    let batch = rows(&[None], &[]);
    let spec = |collection, columns| UnnestSpec {
        collection,
        outer: false,
        columns,
    };
    let output = batch.schema();
    let wrong = [
        spec(2, vec![Element, Ordinality]),
        spec(1, vec![Element, Input(2)]),
        spec(1, vec![Element]),
    ];
    for spec in wrong {
        assert!(Unnest::new(&spec, &batch.schema(), &output).is_err());
    }
    let mut unnest = operator(&batch, false, &[Input(0)]);
    unnest.spec.columns = vec![Side(0)];
    let batch = rows(&[Some(vec![Some(1)])], &[]);
    assert!(unnest.process(0, batch, 0, &mut Output::default()).is_err());
}
