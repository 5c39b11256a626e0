//! Aggregates from their definition, over rows of text, and random rows to try them on.

use arrow::datatypes::SchemaRef;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::{batch, data_type, schema};
use crate::element::Batch;
use crate::graph::{AggregateCall, AggregateFunction, DataTypeSpec};

/// Columns of the input that all models share.
pub(crate) const INPUT: &str = "k BIGINT, s STRING, v BIGINT, w INT, d DECIMAL, f DOUBLE, \
                                b BOOLEAN, c BOOLEAN, t TIMESTAMP";

/// The schema of [`INPUT`].
pub(crate) fn input() -> SchemaRef {
    schema(INPUT)
}

/// A row of the input; texts as [`batch`] reads them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) cells: Vec<String>,
    pub(crate) time: Option<i64>,
    pub(crate) retracts: bool,
}

impl Row {
    fn line(&self) -> String {
        let kind = if self.retracts { "-D" } else { "+I" };
        let time = match self.time {
            // Arrow reads timestamps as dates, so the model's milliseconds go the long way.
            Some(time) => chrono_text(time),
            None => "NULL".into(),
        };
        format!("{kind} | {} | {time}", self.cells.join(" | "))
    }
}

/// `1970-01-01T00:00:00.000` and on.
pub(crate) fn chrono_text(time_ms: i64) -> String {
    let array = arrow::array::TimestampMillisecondArray::from(vec![time_ms]);
    let text = arrow::compute::cast(&array, &arrow::datatypes::DataType::Utf8).unwrap();
    use arrow::array::AsArray;
    text.as_string::<i32>().value(0).to_string()
}

/// The rows as a batch.
pub(crate) fn batch_of(rows: &[Row]) -> Batch {
    let lines: Vec<String> = rows.iter().map(Row::line).collect();
    batch(&input(), &lines.join("\n"))
}

/// Random rows over few keys and values.
pub(crate) struct Rows {
    pub(crate) random: SmallRng,
}

impl Rows {
    pub(crate) fn new(seed: u64) -> Self {
        Rows {
            random: SmallRng::seed_from_u64(seed),
        }
    }

    fn maybe(&mut self, text: String) -> String {
        match self.random.random_ratio(1, 6) {
            true => "NULL".into(),
            false => text,
        }
    }

    pub(crate) fn row(&mut self, time: Option<i64>) -> Row {
        let k = self.random.random_range(-2..3i64);
        let s = ["", "a", "b", "a longer text than fits"][self.random.random_range(0..4)];
        let v = [i64::MIN, i64::MAX, -7, 0, 3, 9][self.random.random_range(2..6)];
        let w = self.random.random_range(-3..4i32);
        let d = self.random.random_range(-500..500i64);
        let f = self.random.random_range(-8..8i64);
        let (b, c) = (self.random.random::<bool>(), self.random.random::<bool>());
        let cells = vec![
            k.to_string(),
            // An empty cell is the empty string.
            s.to_string(),
            v.to_string(),
            w.to_string(),
            format!(
                "{}{}.{:02}",
                if d < 0 { "-" } else { "" },
                d.abs() / 100,
                d.abs() % 100
            ),
            format!("{f}"),
            b.to_string(),
            c.to_string(),
        ];
        Row {
            cells: cells.into_iter().map(|c| self.maybe(c)).collect(),
            time,
            retracts: false,
        }
    }
}

/// A call by function and columns.
pub(crate) fn call(
    function: AggregateFunction,
    distinct: bool,
    argument: Option<usize>,
    filter: Option<usize>,
    result: &str,
) -> AggregateCall {
    let argument_type = match argument {
        Some(column) => input().field(column).data_type().clone(),
        None => data_type("BIGINT"),
    };
    AggregateCall {
        function,
        distinct,
        argument,
        filter,
        argument_type: DataTypeSpec(argument_type),
        result_type: DataTypeSpec(data_type(result)),
        name: format!("{function:?}({argument:?})"),
        identity: format!("{function:?} {distinct} {argument:?} {filter:?}"),
    }
}

/// One of everything.
pub(crate) fn calls() -> Vec<AggregateCall> {
    use AggregateFunction::*;
    vec![
        call(Count, false, None, None, "BIGINT"),
        call(Count, false, Some(2), None, "BIGINT"),
        call(Count, false, None, Some(6), "BIGINT"),
        call(Sum, false, Some(2), None, "BIGINT"),
        call(Sum, false, Some(3), Some(7), "BIGINT"),
        call(Sum, false, Some(4), None, "DECIMAL_SUM"),
        call(Sum, false, Some(5), None, "DOUBLE"),
        call(Avg, false, Some(3), None, "DOUBLE"),
        call(Avg, false, Some(4), Some(6), "DECIMAL_AVG"),
        call(Avg, false, Some(5), None, "DOUBLE"),
        call(Min, false, Some(2), None, "BIGINT"),
        call(Max, false, Some(2), Some(7), "BIGINT"),
        call(Min, false, Some(1), None, "STRING"),
        call(Max, false, Some(1), Some(6), "STRING"),
        call(Max, false, Some(4), None, "DECIMAL"),
        call(Min, false, Some(5), None, "DOUBLE"),
        call(Max, false, Some(6), None, "BOOLEAN"),
        call(Min, false, Some(8), None, "TIMESTAMP"),
        call(Count, true, Some(1), None, "BIGINT"),
        call(Count, true, Some(2), None, "BIGINT"),
        call(Count, true, Some(2), Some(6), "BIGINT"),
        call(Count, true, Some(2), Some(7), "BIGINT"),
        call(Sum, true, Some(3), None, "BIGINT"),
        call(Avg, true, Some(4), Some(7), "DECIMAL_AVG"),
        call(Max, true, Some(3), None, "INT"),
        call(VarPop, false, Some(5), None, "DOUBLE"),
        call(VarSamp, false, Some(5), Some(6), "DOUBLE"),
        call(StddevPop, true, Some(5), None, "DOUBLE"),
        call(StddevSamp, true, Some(5), Some(7), "DOUBLE"),
        // Of values that are all the same, whose order does not matter.
        call(Collect, false, Some(6), Some(6), "BOOLEANS"),
        call(Collect, true, Some(6), Some(6), "BOOLEANS"),
        call(FirstValue, false, Some(6), Some(6), "BOOLEAN"),
        call(LastValue, false, Some(6), Some(6), "BOOLEAN"),
    ]
}

/// The result of a call over the rows of one group, as text.
pub(crate) fn evaluate(call: &AggregateCall, rows: &[&Row]) -> String {
    use AggregateFunction::*;
    let passes = |row: &&&Row| call.filter.is_none_or(|f| row.cells[f] == "true");
    let rows: Vec<&&Row> = rows.iter().filter(passes).collect();
    let Some(argument) = call.argument else {
        return rows.len().to_string();
    };
    let mut values: Vec<String> = match argument {
        8 => rows
            .iter()
            .filter_map(|r| r.time.map(|t| t.to_string()))
            .collect(),
        _ => rows.iter().map(|r| r.cells[argument].clone()).collect(),
    };
    values.retain(|v| v != "NULL");
    if call.distinct {
        values.sort();
        values.dedup();
    }
    let number = |v: &String| v.replace('.', "").parse::<i128>().unwrap();
    let total: i128 = match call.function {
        Sum | Avg => values.iter().map(number).sum(),
        _ => 0,
    };
    let count = values.len() as i128;
    match call.function {
        Count => count.to_string(),
        Last => panic!("no aggregate of SQL"),
        VarPop | VarSamp | StddevPop | StddevSamp => {
            let values: Vec<i128> = values.iter().map(number).collect();
            deviation(call.function, &values)
        }
        _ if count == 0 => "NULL".into(),
        Sum if argument == 4 => decimal(total, 2),
        Sum if argument == 5 => format!("{total}.0"),
        Sum => total.to_string(),
        Avg if argument == 4 => decimal(total * 10_000 / count, 6),
        Avg => format!("{:?}", total as f64 / count as f64),
        Collect => format!("[{}]", values.join(", ")),
        FirstValue | LastValue => values.swap_remove(0),
        Min | Max => {
            match argument {
                1 | 6 => values.sort(),
                _ => values.sort_by_key(number),
            }
            let best = if call.function == Min {
                values.first()
            } else {
                values.last()
            };
            let best = best.unwrap().clone();
            match argument {
                5 => format!("{best}.0"),
                8 => chrono_text(best.parse().unwrap()),
                _ => best,
            }
        }
    }
}

/// Variance or standard deviation of whole numbers.
fn deviation(function: AggregateFunction, values: &[i128]) -> String {
    use AggregateFunction::*;
    let count = values.len() as i128;
    let less = i128::from(matches!(function, VarSamp | StddevSamp));
    if count <= less {
        return "NULL".into();
    }
    let sum: i128 = values.iter().sum();
    let squares: i128 = values.iter().map(|v| v * v).sum();
    let spread = (count * squares - sum * sum) as f64 / count as f64;
    let variance = spread / (count - less) as f64;
    let root = matches!(function, StddevPop | StddevSamp);
    format!("{:?}", if root { variance.sqrt() } else { variance })
}

/// Expects the same rows in any order; says which are missing and which are too many.
pub(crate) fn assert_same(mut found: Vec<String>, mut expected: Vec<String>, place: &str) {
    found.sort();
    expected.sort();
    let missing: Vec<_> = expected.iter().filter(|r| !found.contains(r)).collect();
    let surplus: Vec<_> = found.iter().filter(|r| !expected.contains(r)).collect();
    assert!(
        found == expected,
        "{place}: missing {missing:#?}, surplus {surplus:#?}"
    );
}

fn decimal(value: i128, scale: u32) -> String {
    let (sign, value) = (if value < 0 { "-" } else { "" }, value.unsigned_abs());
    let unit = 10u128.pow(scale);
    format!(
        "{sign}{}.{:0width$}",
        value / unit,
        value % unit,
        width = scale as usize
    )
}
