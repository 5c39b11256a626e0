#![allow(clippy::unwrap_used)]
use std::cmp::Ordering;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::graph::{BackendKind, OperatorSpec, OrderColumn, RankFunction, RankSpec};
use crate::operator::testing::model::assert_same;
use crate::operator::testing::pipeline::Pipeline;
use crate::operator::testing::{batch, schema};

mod windows;

const ROWS: &str = "k BIGINT, a BIGINT, s STRING";
const NOTHING: [&str; 0] = [];

fn by(column: usize, descending: bool, nulls_first: bool) -> OrderColumn {
    OrderColumn {
        column,
        descending,
        nulls_first,
    }
}

/// The first `to` by `a`, the least first.
fn spec(to: u64) -> RankSpec {
    RankSpec {
        rows: schema(ROWS).into(),
        partition_by: vec![0],
        order_by: vec![by(1, false, true)],
        newest_first: false,
        function: RankFunction::RowNumber,
        from: 1,
        to,
        number: false,
        updating: true,
        update_before: true,
        ttl_ms: 0,
        window: None,
    }
}

fn numbered(to: u64) -> RankSpec {
    RankSpec {
        number: true,
        ..spec(to)
    }
}

fn pipeline(spec: &RankSpec) -> Pipeline {
    let mut fields: Vec<_> = spec.rows.0.fields().iter().cloned().collect();
    if spec.number {
        fields.push(Arc::new(Field::new("n", DataType::Int64, false)));
    }
    let output: SchemaRef = Arc::new(Schema::new(fields));
    let rank = OperatorSpec::Rank(spec.clone());
    let keys = spec.partition_by.clone();
    Pipeline::new(None, rank, spec.rows.0.clone(), output, keys)
}

fn give(rank: &mut Pipeline, rows: &str) -> Vec<String> {
    rank.process(batch(&schema(ROWS), rows));
    std::mem::take(&mut rank.lines)
}

#[test]
fn the_first_rows_are_passed_on() {
    let mut rank = pipeline(&spec(2));
    let said = give(&mut rank, "+I | 1 | 5 | a\n+I | 1 | 7 | b\n+I | 2 | 9 | c");
    assert_eq!(said, ["+I | 1 | 5 | a", "+I | 1 | 7 | b", "+I | 2 | 9 | c"]);
    assert_eq!(give(&mut rank, "+I | 1 | 8 | d"), NOTHING);
    let said = give(&mut rank, "+I | 1 | 6 | e");
    assert_eq!(said, ["-D | 1 | 7 | b", "+I | 1 | 6 | e"]);
    // The next one moves up.
    let said = give(&mut rank, "-D | 1 | 5 | a");
    assert_eq!(said, ["-D | 1 | 5 | a", "+I | 1 | 7 | b"]);
    assert_eq!(give(&mut rank, "-U | 1 | 8 | d\n+U | 1 | 9 | d"), NOTHING);
}

#[test]
fn a_batch_gives_the_difference_that_it_makes() {
    let mut rank = pipeline(&spec(1));
    give(&mut rank, "+I | 1 | 5 | a");
    let said = give(&mut rank, "+I | 1 | 4 | b\n+I | 1 | 3 | c\n-D | 1 | 4 | b");
    assert_eq!(said, ["-D | 1 | 5 | a", "+I | 1 | 3 | c"]);
    let said = give(&mut rank, "-D | 1 | 3 | c\n+I | 1 | 2 | d\n-D | 1 | 2 | d");
    assert_eq!(said, ["-D | 1 | 3 | c", "+I | 1 | 5 | a"]);
}

#[test]
fn a_number_has_one_row_after_the_other() {
    let mut rank = pipeline(&numbered(3));
    give(&mut rank, "+I | 1 | 5 | a\n+I | 1 | 7 | b");
    let said = give(&mut rank, "+I | 1 | 6 | c");
    let expected = [
        "-U | 1 | 7 | b | 2",
        "+U | 1 | 6 | c | 2",
        "+I | 1 | 7 | b | 3",
    ];
    assert_eq!(said, expected);
    let said = give(&mut rank, "-D | 1 | 6 | c");
    let expected = [
        "-U | 1 | 6 | c | 2",
        "+U | 1 | 7 | b | 2",
        "-D | 1 | 7 | b | 3",
    ];
    assert_eq!(said, expected);

    let mut rank = pipeline(&RankSpec {
        update_before: false,
        ..numbered(1)
    });
    give(&mut rank, "+I | 1 | 5 | a");
    assert_eq!(give(&mut rank, "+I | 1 | 4 | b"), ["+U | 1 | 4 | b | 1"]);
}

#[test]
fn rows_that_tie_share_a_number() {
    let ranked = |function| RankSpec {
        function,
        ..numbered(2)
    };
    let rows = "+I | 1 | 5 | a\n+I | 1 | 5 | b\n+I | 1 | 6 | c\n+I | 1 | 7 | d";
    let mut rank = pipeline(&ranked(RankFunction::Rank));
    let said = give(&mut rank, rows);
    assert_eq!(said, ["+I | 1 | 5 | a | 1", "+I | 1 | 5 | b | 1"]);
    let said = give(&mut rank, "-D | 1 | 5 | a");
    assert_eq!(said, ["-D | 1 | 5 | a | 1", "+I | 1 | 6 | c | 2"]);

    let mut rank = pipeline(&ranked(RankFunction::DenseRank));
    assert_eq!(give(&mut rank, rows).len(), 3);
    let said = give(&mut rank, "+I | 1 | 4 | e");
    let expected = [
        "-D | 1 | 6 | c | 2",
        "+I | 1 | 4 | e | 1",
        "-U | 1 | 5 | a | 1",
        "+U | 1 | 5 | a | 2",
        "-U | 1 | 5 | b | 1",
        "+U | 1 | 5 | b | 2",
    ];
    assert_eq!(said, expected);
}

#[test]
fn rows_that_tie_are_in_order_of_arrival() {
    for updating in [true, false] {
        let mut rank = pipeline(&RankSpec {
            updating,
            ..spec(1)
        });
        assert_eq!(give(&mut rank, "+I | 1 | 5 | b"), ["+I | 1 | 5 | b"]);
        rank.rescale(3, BackendKind::RocksDb);
        assert_eq!(give(&mut rank, "+I | 1 | 5 | a\n+I | 1 | 5 | c"), NOTHING);
    }
}

#[test]
fn without_an_order_the_first_to_come_stay() {
    let mut rank = pipeline(&RankSpec {
        partition_by: vec![],
        order_by: vec![],
        from: 2,
        updating: false,
        ..spec(3)
    });
    assert_eq!(give(&mut rank, "+I | 9 | 1 | a"), NOTHING);
    rank.rescale(1, BackendKind::Memory);
    assert_eq!(give(&mut rank, "+I | 8 | 2 | b"), ["+I | 8 | 2 | b"]);
    let said = give(&mut rank, "+I | 7 | 3 | c\n+I | 6 | 4 | d");
    assert_eq!(said, ["+I | 7 | 3 | c"]);
    assert_eq!(give(&mut rank, "+I | 1 | 1 | e"), NOTHING);
}

#[test]
fn rows_that_no_number_is_left_for_are_not_kept() {
    let mut rank = pipeline(&RankSpec {
        updating: false,
        ..spec(2)
    });
    let rows = (0..50).map(|i| format!("+I | {} | {} | x", i % 2, 50 - i));
    give(&mut rank, &rows.collect::<Vec<_>>().join("\n"));
    for row in 0..20 {
        give(&mut rank, &format!("+I | 1 | {} | y", row % 3));
    }
    let files = rank.checkpoint();
    assert_eq!(crate::state::fixture::table_of(&files, 1).len(), 4);
}

#[test]
fn zeros_are_equal_whatever_their_sign() {
    let rows = schema("k BIGINT, a DOUBLE");
    let mut rank = pipeline(&RankSpec {
        rows: rows.clone().into(),
        function: RankFunction::Rank,
        ..spec(1)
    });
    rank.process(batch(&rows, "+I | 1 | 0\n+I | 1 | -0.0\n+I | 1 | 1.5"));
    assert_eq!(rank.lines.len(), 2);
}

type Row = Vec<String>;

/// How two rows stand to each other, but for when they came.
fn compare(spec: &RankSpec, a: &Row, b: &Row) -> Ordering {
    let by_column = spec.order_by.iter().map(|order| {
        let (a, b) = (&a[order.column], &b[order.column]);
        let nulls = match order.nulls_first {
            true => (b == "NULL").cmp(&(a == "NULL")),
            false => (a == "NULL").cmp(&(b == "NULL")),
        };
        let values = match (a.parse::<i64>(), b.parse::<i64>()) {
            (Ok(a), Ok(b)) => a.cmp(&b),
            _ => a.cmp(b),
        };
        let values = if order.descending {
            values.reverse()
        } else {
            values
        };
        nulls.then(if a == "NULL" || b == "NULL" {
            Ordering::Equal
        } else {
            values
        })
    });
    by_column.fold(Ordering::Equal, Ordering::then)
}

/// What is passed on of rows in the order of their arrival.
fn expected(spec: &RankSpec, rows: &[Row]) -> Vec<String> {
    let partition = |row: &Row| {
        spec.partition_by
            .iter()
            .map(|c| row[*c].clone())
            .collect::<Vec<_>>()
    };
    let mut keys: Vec<_> = rows.iter().map(partition).collect();
    keys.sort();
    keys.dedup();
    let mut lines = vec![];
    for key in keys {
        let mut own: Vec<&Row> = rows.iter().filter(|row| partition(row) == key).collect();
        if spec.newest_first {
            own.reverse();
        }
        own.sort_by(|a, b| compare(spec, a, b));
        let (mut number, mut before) = (0, None::<&Row>);
        for (index, row) in (1..).zip(own) {
            let ties = before.is_some_and(|before| compare(spec, before, row).is_eq());
            number = match spec.function {
                RankFunction::RowNumber => index,
                _ if ties => number,
                RankFunction::Rank => index,
                RankFunction::DenseRank => number + 1,
            };
            before = Some(row);
            if (spec.from..=spec.to).contains(&number) {
                let line = row.join(" | ");
                lines.push(match spec.number {
                    true => format!("{line} | {number}"),
                    false => line,
                });
            }
        }
    }
    lines.sort();
    lines
}

fn random_spec(random: &mut SmallRng) -> RankSpec {
    let from = random.random_range(1..4);
    let functions = [
        RankFunction::RowNumber,
        RankFunction::Rank,
        RankFunction::DenseRank,
    ];
    let order = |random: &mut SmallRng, column| by(column, random.random(), random.random());
    let order_by = match random.random_range(0..4) {
        0 => vec![order(random, 1)],
        1 => vec![order(random, 2)],
        2 => vec![order(random, 2), order(random, 1)],
        _ => vec![],
    };
    RankSpec {
        partition_by: [vec![], vec![0], vec![0], vec![0, 2]][random.random_range(0..4)].clone(),
        order_by,
        newest_first: random.random_ratio(1, 3),
        function: functions[random.random_range(0..3)],
        from,
        to: from + random.random_range(0..12),
        number: random.random(),
        updating: random.random_ratio(2, 3),
        ..spec(1)
    }
}

fn random_row(random: &mut SmallRng) -> Row {
    let number = |random: &mut SmallRng, to| match random.random_range(0..8) {
        0 => "NULL".to_string(),
        _ => random.random_range(0..to).to_string(),
    };
    let texts = [
        "",
        "a",
        "b",
        "NULL",
        "a text of which the beginning is long",
        "a text of which the beginning is not",
    ];
    vec![
        number(random, 4),
        number(random, 9),
        texts[random.random_range(0..texts.len())].to_string(),
    ]
}

/// Random changes against recomputation, through subtasks that change in number and backend.
fn random_run(seed: u64) {
    let mut random = SmallRng::seed_from_u64(seed);
    let spec = random_spec(&mut random);
    let mut rank = pipeline(&spec);
    rank.memory_bytes = if seed.is_multiple_of(3) { 64 } else { 1 << 20 };
    let mut there: Vec<Row> = vec![];
    for step in 0..30 {
        let mut lines = vec![];
        for _ in 0..random.random_range(1..14) {
            if spec.updating && !there.is_empty() && random.random_ratio(2, 5) {
                let row = there[random.random_range(0..there.len())].clone();
                // Of equal rows the last to come goes.
                let at = there.iter().rposition(|other| *other == row).unwrap();
                there.remove(at);
                let kind = ["-D", "-U"][random.random_range(0..2)];
                lines.push(format!("{kind} | {}", row.join(" | ")));
            } else {
                let row = random_row(&mut random);
                let kind = ["+I", "+U"][random.random_range(0..2)];
                lines.push(format!("{kind} | {}", row.join(" | ")));
                there.push(row);
            }
        }
        rank.process(batch(&schema(ROWS), &lines.join("\n")));
        let mut result = rank.result();
        result.sort();
        let place = format!("seed {seed}, step {step}, {spec:?}");
        assert_same(result, expected(&spec, &there), &place);
        if step % 5 == 4 {
            let backend = match seed.is_multiple_of(2) && step < 23 {
                true if step < 13 => BackendKind::Disk,
                true => BackendKind::RocksDb,
                false => BackendKind::Memory,
            };
            rank.rescale(random.random_range(1..5), backend);
        }
    }
}

#[test]
fn random_changes_add_up_to_the_first_rows_of_what_is_there() {
    for seed in 0..200 {
        random_run(seed);
    }
}

#[test]
fn the_youngest_row_of_a_key_is_given_as_one_that_changes() {
    for backend in [BackendKind::Memory, BackendKind::Disk, BackendKind::RocksDb] {
        let mut rank = pipeline(&RankSpec {
            order_by: vec![],
            newest_first: true,
            update_before: false,
            ..spec(1)
        });
        rank.rescale(2, backend);
        assert_eq!(give(&mut rank, "+I | 1 | 5 | a"), ["+I | 1 | 5 | a"]);
        // What replaces a row may come before it goes.
        assert_eq!(give(&mut rank, "+U | 1 | 6 | a"), ["+U | 1 | 6 | a"]);
        assert!(give(&mut rank, "-U | 1 | 5 | a").is_empty());
        rank.rescale(1, backend);
        assert_eq!(give(&mut rank, "+I | 1 | 7 | b"), ["+U | 1 | 7 | b"]);
        assert_eq!(give(&mut rank, "-D | 1 | 7 | b"), ["+U | 1 | 6 | a"]);
        assert_eq!(give(&mut rank, "-D | 1 | 6 | a"), ["-D | 1 | 6 | a"]);
        let files = rank.checkpoint();
        assert_eq!(crate::state::fixture::table_of(&files, 1).len(), 0);
    }
}

#[test]
fn rows_that_nothing_changes_are_forgotten_with_time() {
    for backend in [BackendKind::Memory, BackendKind::Disk, BackendKind::RocksDb] {
        let mut rank = pipeline(&RankSpec {
            ttl_ms: 1000,
            ..spec(1)
        });
        rank.rescale(2, backend);
        give(&mut rank, "+I | 1 | 5 | a\n+I | 2 | 5 | b\n+I | 1 | 6 | c");
        rank.rescale(1, backend);
        for tick in 0..60 {
            rank.advance_clock(4000 + tick * 200);
        }
        let files = rank.checkpoint();
        assert_eq!(crate::state::fixture::table_of(&files, 1).len(), 0);
        assert_eq!(give(&mut rank, "+I | 1 | 7 | d"), ["+I | 1 | 7 | d"]);
    }
}
