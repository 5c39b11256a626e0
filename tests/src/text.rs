//! Rows as the golden suite writes them, and changelogs applied.

use std::collections::BTreeMap;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, TimeUnit};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use levada_engine::element::{Batch, ChangelogMode, RowKind};

use crate::case;

/// What a changelog leaves, and a check that it never takes away what is not there.
#[derive(Debug)]
pub struct Changelog {
    mode: ChangelogMode,
    key: Vec<usize>,
    counts: BTreeMap<String, i64>,
    by_key: BTreeMap<String, String>,
}

impl Changelog {
    /// An empty one. `key` matters for upserts only.
    pub fn new(mode: ChangelogMode, key: Option<Vec<usize>>) -> Self {
        Changelog {
            mode,
            key: key.unwrap_or_default(),
            counts: BTreeMap::new(),
            by_key: BTreeMap::new(),
        }
    }

    /// Begins with rows that were there before, as [`Changelog::rows`] gives them.
    pub fn begin(&mut self, rows: &[String]) {
        for row in rows {
            if self.mode != ChangelogMode::Upsert {
                *self.counts.entry(row.clone()).or_default() += 1;
                continue;
            }
            let cells: Vec<String> = row.split(case::CELL).map(str::to_string).collect();
            let key: Vec<String> = self.key.iter().map(|c| cells[*c].clone()).collect();
            self.by_key.insert(case::join(&key), row.clone());
        }
    }

    /// Applies rows.
    pub fn apply(&mut self, batch: &Batch) -> Result<(), String> {
        for (index, cells) in rows(batch.rows()).into_iter().enumerate() {
            let kind = batch.kind(index);
            let row = case::join(&cells);
            match self.mode {
                ChangelogMode::Append if kind != RowKind::Insert => {
                    return Err(format!("{} {row} in an append-only result", kind.short()));
                }
                ChangelogMode::Append | ChangelogMode::Retract => self.count(kind, row)?,
                ChangelogMode::Upsert => self.upsert(kind, &cells, row)?,
            }
        }
        Ok(())
    }

    fn count(&mut self, kind: RowKind, row: String) -> Result<(), String> {
        let count = self.counts.entry(row.clone()).or_default();
        *count += if kind.is_retraction() { -1 } else { 1 };
        match *count < 0 {
            true => Err(format!("{} {row}: there is no such row", kind.short())),
            false => Ok(()),
        }
    }

    fn upsert(&mut self, kind: RowKind, cells: &[String], row: String) -> Result<(), String> {
        let key: Vec<String> = self.key.iter().map(|c| cells[*c].clone()).collect();
        let key = case::join(&key);
        match kind {
            RowKind::UpdateBefore => Err(format!("-U {row} in an upsert result")),
            RowKind::Delete => match self.by_key.remove(&key) {
                Some(_) => Ok(()),
                None => Err(format!("-D {row}: there is no row of this key")),
            },
            RowKind::Insert | RowKind::UpdateAfter => {
                self.by_key.insert(key, row);
                Ok(())
            }
        }
    }

    /// The rows that are there, sorted.
    pub fn rows(&self) -> Vec<String> {
        let counted = self.counts.iter().flat_map(|(row, count)| {
            std::iter::repeat_n(row.clone(), usize::try_from(*count).unwrap_or(0))
        });
        let mut all: Vec<String> = counted.chain(self.by_key.values().cloned()).collect();
        all.sort();
        all
    }
}

/// The rows of a batch as cells.
pub fn rows(batch: &RecordBatch) -> Vec<Vec<String>> {
    let row = |index| {
        batch
            .columns()
            .iter()
            .map(|column| cell(column, index))
            .collect()
    };
    (0..batch.num_rows()).map(row).collect()
}

/// A value: NULL, numbers and texts as they are, `[…]` for arrays, `{name: …}` for rows and maps.
fn cell(column: &ArrayRef, row: usize) -> String {
    if column.is_null(row) {
        return "NULL".to_string();
    }
    match column.data_type() {
        DataType::Float32 => float(
            f64::from(column.as_primitive::<Float32Type>().value(row)),
            true,
        ),
        DataType::Float64 => float(column.as_primitive::<Float64Type>().value(row), false),
        DataType::Decimal128(_, _) => column.as_primitive::<Decimal128Type>().value_as_string(row),
        DataType::Date32 => {
            let date = column.as_primitive::<Date32Type>().value_as_date(row);
            date.map_or_else(|| "?".to_string(), |d| d.to_string())
        }
        DataType::Timestamp(unit, zone) => timestamp(column, row, *unit, zone.is_some()),
        DataType::Binary => {
            let bytes = column.as_binary::<i32>().value(row).iter();
            format!(
                "x'{}'",
                bytes.map(|b| format!("{b:02x}")).collect::<String>()
            )
        }
        DataType::List(_) => {
            let values = column.as_list::<i32>().value(row);
            let cells: Vec<String> = (0..values.len()).map(|i| cell(&values, i)).collect();
            format!("[{}]", cells.join(", "))
        }
        DataType::Struct(fields) => {
            let values = column.as_struct().columns().iter().zip(fields);
            let cells: Vec<String> = values
                .map(|(value, field)| format!("{}: {}", field.name(), cell(value, row)))
                .collect();
            format!("{{{}}}", cells.join(", "))
        }
        DataType::Map(_, _) => {
            let entries = column.as_map().value(row);
            let (keys, values) = (entries.column(0), entries.column(1));
            let mut cells: Vec<String> = (0..entries.len())
                .map(|i| format!("{}: {}", cell(keys, i), cell(values, i)))
                .collect();
            cells.sort();
            format!("{{{}}}", cells.join(", "))
        }
        _ => plain(column, row),
    }
}

fn plain(column: &ArrayRef, row: usize) -> String {
    let options = FormatOptions::default();
    match ArrayFormatter::try_new(column, &options) {
        Ok(formatter) => formatter.value(row).to_string(),
        Err(error) => panic!("{} has no text: {error}", column.data_type()),
    }
}

fn float(value: f64, single: bool) -> String {
    #[allow(clippy::cast_possible_truncation)]
    match single {
        true => format!("{:?}", value as f32),
        false => format!("{value:?}"),
    }
}

/// `2026-01-01 00:00:05`, with as many digits of a second as are needed, and `Z` for an instant.
fn timestamp(column: &ArrayRef, row: usize, unit: TimeUnit, instant: bool) -> String {
    let raw = arrow::compute::cast(column, &DataType::Int64).expect("timestamps are numbers");
    let value = raw.as_primitive::<arrow::datatypes::Int64Type>().value(row);
    let per_second = match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    };
    let second = value.div_euclid(per_second);
    let fraction = value.rem_euclid(per_second);
    let mut text = moment(second);
    if fraction != 0 {
        let width = per_second.ilog10() as usize;
        let digits = format!("{fraction:0width$}");
        text.push_str(&format!(".{}", digits.trim_end_matches('0')));
    }
    if instant {
        text.push('Z');
    }
    text
}

fn moment(second: i64) -> String {
    let (day, time) = (second.div_euclid(86_400), second.rem_euclid(86_400));
    let day = i32::try_from(day).expect("a day of our era");
    let date = arrow::array::Date32Array::from(vec![day]).value_as_date(0);
    let date = date.map_or_else(|| day.to_string(), |d| d.to_string());
    format!(
        "{date} {:02}:{:02}:{:02}",
        time / 3600,
        time / 60 % 60,
        time % 60
    )
}
