use std::collections::BTreeMap;

use levada_engine::element::RowKind;

use super::changes::Changes;
use super::query::{First, Query};
use super::rows::{self, Table};
use crate::run::Answer;

fn answer(rows: &[&str]) -> Answer {
    let mut rows: Vec<String> = rows.iter().map(|row| (*row).to_string()).collect();
    rows.sort();
    Answer {
        columns: vec!["name".to_string(), "n".to_string()],
        types: Vec::new(),
        rows,
    }
}

fn best_two() -> Query {
    Query::new("best", "SELECT name, n FROM t\nORDER BY n DESC\nLIMIT 2\n")
}

#[test]
fn order_and_limit_are_read_from_the_end_of_the_text() {
    let query = Query::new("q", "SELECT a FROM t ORDER BY a DESC, b\nLIMIT 10\n");
    let columns = vec!["a".to_string(), "b".to_string()];
    assert_eq!(query.first, Some(First { columns, rows: 10 }));
    assert_eq!(query.all, "SELECT a FROM t");
    assert_eq!(Query::new("q", "SELECT 1").first, None);
}

#[test]
fn either_of_two_rows_that_tie_may_be_the_last() {
    let all = answer(&["a | 3", "b | 2", "c | 2", "d | 1"]);
    let batch = answer(&["a | 3", "b | 2"]);
    let other = answer(&["a | 3", "c | 2"]);
    assert_eq!(best_two().compare(&batch.rows, &all, &batch), Ok(()));
    assert_eq!(best_two().compare(&other.rows, &all, &batch), Ok(()));
}

#[test]
fn a_row_too_low_is_found_and_one_that_is_not_there_and_one_that_is_there_twice() {
    let all = answer(&["a | 3", "b | 2", "c | 2", "d | 1"]);
    let batch = answer(&["a | 3", "b | 2"]);
    for wrong in [
        &["a | 3", "d | 1"][..],
        &["a | 3"],
        &["a | 3", "e | 2"],
        &["a | 3", "b | 2", "c | 2"],
    ] {
        let found = best_two().compare(&answer(wrong).rows, &all, &batch);
        assert!(found.is_err(), "{wrong:?}");
    }
    let twice = answer(&["a | 3", "a | 3"]);
    let all = answer(&["a | 3", "b | 3"]);
    let found = best_two().compare(&twice.rows, &all, &all);
    assert!(found.is_err(), "one row twice");
}

#[test]
fn without_a_limit_all_rows_must_be_there() {
    let query = Query::new("q", "SELECT name, n FROM t");
    let all = answer(&["a | 3", "b | 2"]);
    assert_eq!(query.compare(&all.rows, &all, &all), Ok(()));
    assert!(query.compare(&all.rows[..1], &all, &all).is_err());
}

fn small() -> Vec<Table> {
    let rows = |count: usize| -> Vec<Vec<String>> {
        (0..count)
            .map(|row| vec![row.to_string(), format!("a{row}"), format!("b{row}")])
            .collect()
    };
    let table = |name, count| Table {
        name,
        key: &[0],
        rows: rows(count),
    };
    vec![table("small", 20), table("large", 500)]
}

#[test]
fn a_history_takes_back_only_what_is_there_and_reads_as_the_rows_of_each_moment() {
    let changes = Changes::random(&small(), 7);
    let mut retractions = 0;
    for table in changes.tables.values() {
        let mut there: BTreeMap<String, String> = BTreeMap::new();
        for row in 0..table.kinds.len() {
            let cell = |column: usize| {
                use arrow::array::AsArray;
                table.columns[column].as_string::<i32>().value(row)
            };
            let (key, rest) = (cell(0).to_string(), format!("{} {}", cell(1), cell(2)));
            match table.kinds[row] {
                RowKind::Insert | RowKind::UpdateAfter => {
                    assert_eq!(there.insert(key, rest), None);
                }
                RowKind::UpdateBefore | RowKind::Delete => {
                    retractions += 1;
                    assert_eq!(there.remove(&key), Some(rest));
                }
            }
            let number = table.numbers[row];
            let next = table.numbers.get(row + 1);
            if next != Some(&number) {
                assert_eq!(table.rows_at(number + 1).len(), there.len());
            }
        }
    }
    assert!(retractions > 52, "{retractions}");
    let end = |table: &str| changes.tables[table].rows_at(changes.count).len();
    assert_eq!(end("small"), 20);
    assert!(end("large") < 500);
}

#[test]
fn the_tables_have_as_many_rows_as_the_scale_says() {
    let tables = rows::tables(0.01);
    let count: BTreeMap<&str, usize> = tables.iter().map(|t| (t.name, t.rows.len())).collect();
    assert_eq!(count["region"], 5);
    assert_eq!(count["nation"], 25);
    assert_eq!(count["supplier"], 100);
    assert_eq!(count["customer"], 1500);
    assert_eq!(count["part"], 2000);
    assert_eq!(count["partsupp"], 8000);
    assert_eq!(count["orders"], 15_000);
    assert_eq!(count["lineitem"], 60_175);
    for table in &tables {
        let key = |row: &Vec<String>| -> Vec<String> {
            table
                .key
                .iter()
                .map(|column| row[*column].clone())
                .collect()
        };
        let keys: std::collections::BTreeSet<Vec<String>> = table.rows.iter().map(key).collect();
        assert_eq!(keys.len(), table.rows.len(), "{}", table.name);
    }
}
