#![allow(clippy::unwrap_used)]
use std::sync::Arc;

use arrow::array::{AsArray, Int64Array, StringArray};
use arrow::datatypes::{DataType, Field, Int64Type, Schema};
use levada_engine::element::RowKind;

use super::*;

fn schema(v_nullable: bool) -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("v", DataType::Utf8, v_nullable),
        Field::new("k", DataType::Int64, true),
    ]))
}

fn batch(rows: &[(RowKind, i64, Option<String>)]) -> Batch {
    let v: StringArray = rows.iter().map(|r| r.2.clone()).collect();
    let k = Int64Array::from_iter_values(rows.iter().map(|r| r.1));
    let columns = RecordBatch::try_new(schema(true), vec![Arc::new(v), Arc::new(k)]);
    let kinds = rows.iter().map(|r| r.0).collect();
    Batch::with_kinds(columns.unwrap(), kinds).unwrap()
}

/// Numbers below `limit` that look random.
fn numbers(mut state: u64) -> impl FnMut(u64) -> u64 {
    move |limit| {
        state = xxhash_rust::xxh3::xxh3_64(&state.to_le_bytes());
        state % limit
    }
}

#[test]
fn the_last_rows_are_those_of_a_map() {
    for seed in 0..20 {
        let mut random = numbers(seed);
        let mut last = LastRows::new(schema(false), &["k".to_string()]).unwrap();
        let mut model = std::collections::BTreeMap::new();
        for step in 0..30 {
            let mut rows = vec![];
            for row in 0..random(9) {
                let key = random(6) as i64;
                if random(3) == 0 {
                    rows.push((RowKind::Delete, key, None));
                    model.remove(&key);
                } else {
                    let value = format!("{step}.{row}");
                    rows.push((RowKind::Insert, key, Some(value.clone())));
                    model.insert(key, value);
                }
            }
            last.push(&batch(&rows)).unwrap();
        }
        let mut found = vec![];
        for rows in last.finish().unwrap() {
            assert_eq!(rows.schema(), schema(false));
            assert!(rows.num_rows() <= BATCH_ROWS);
            let v = rows.column(0).as_string::<i32>();
            let k = rows.column(1).as_primitive::<Int64Type>();
            let cells = k.iter().zip(v);
            found.extend(cells.map(|(k, v)| (k.unwrap(), v.unwrap().to_string())));
        }
        found.sort();
        let expected: Vec<(i64, String)> = model.into_iter().collect();
        assert_eq!(found, expected, "seed {seed}");
    }
}
