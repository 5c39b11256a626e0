//! The type of numbers, on streams and in batch mode.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use arrow::array::AsArray;
use arrow::datatypes::{DataType, Int64Type};
use futures::StreamExt;

use crate::fixture::Session;
use crate::parser::{self, Statement};

const TABLES: &str = r#"
CREATE TABLE t (k INT, v INT) WITH ('connector' = 'table', 'data' = '
  {"k": 1, "v": 5}
  {"k": 1, "v": 5}
  {"k": 1, "v": 3}
  {"k": 2, "v": null}
');
"#;

/// The numbers of a query in batch mode, sorted.
async fn numbers(select: &str) -> Vec<i64> {
    let session = Session::with(TABLES);
    let Statement::Query(query) = parser::parse_one(select).unwrap().statement else {
        panic!("{select} is no query");
    };
    let rows = session.planner.batch_query(&query, &session.configuration);
    let mut rows = rows.await.map_err(|e| e.render(select)).unwrap();
    let field = rows.schema.field(0).clone();
    assert_eq!(field.data_type(), &DataType::Int64, "{select}");
    assert!(!field.is_nullable(), "{select}");
    let mut found = Vec::new();
    while let Some(batch) = rows.stream.next().await {
        let batch = batch.unwrap();
        found.extend(batch.column(0).as_primitive::<Int64Type>().values());
    }
    found.sort_unstable();
    found
}

#[tokio::test]
async fn numbers_are_bigints() {
    for (call, expect) in [
        (
            "ROW_NUMBER() OVER (PARTITION BY k ORDER BY v)",
            [1, 1, 2, 3],
        ),
        ("ROW_NUMBER() OVER ()", [1, 2, 3, 4]),
        ("RANK() OVER (PARTITION BY k ORDER BY v)", [1, 1, 2, 2]),
        ("RANK() OVER (ORDER BY v DESC)", [1, 2, 2, 4]),
        ("DENSE_RANK() OVER (ORDER BY v DESC)", [1, 2, 2, 3]),
        ("DENSE_RANK() OVER (PARTITION BY k)", [1, 1, 1, 1]),
    ] {
        let select = format!("SELECT {call} AS rn FROM t");
        assert_eq!(numbers(&select).await, expect, "{call}");
        let session = Session::with(TABLES);
        let limited = format!("SELECT {call} AS rn FROM t QUALIFY rn <= 4");
        let job = session.job(&limited).map_err(|e| e.render(&limited));
        let field = job.unwrap().schema.field(0).clone();
        assert_eq!(field.data_type(), &DataType::Int64, "{call}");
        assert!(!field.is_nullable(), "{call}");
    }
}
