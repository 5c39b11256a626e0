//! Random rows against values from their definitions.

use std::cmp::Ordering;
use std::ops::Range;

use arrow::array::Float64Array;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::*;
use crate::operator::testing::model::{assert_same, chrono_text};
use crate::time::MAX_WATERMARK;

type Cells = Vec<String>;

const NULL: &str = "NULL";

fn milliseconds(cell: &str) -> i128 {
    let text = cell.rsplit(':').next().unwrap();
    text.replace('.', "").parse::<i128>().unwrap()
}

/// How far along its column a value is.
fn along(column: usize, cell: &str) -> i128 {
    match column {
        T => milliseconds(cell),
        M => cell.replace('.', "").parse().unwrap(),
        _ => cell.parse().unwrap(),
    }
}

fn compare_cells(column: usize, a: &str, b: &str) -> Ordering {
    match column {
        K | A => a.parse::<i64>().unwrap().cmp(&b.parse().unwrap()),
        D => a.parse::<f64>().unwrap().total_cmp(&b.parse().unwrap()),
        M => along(M, a).cmp(&along(M, b)),
        _ => a.cmp(b),
    }
}

fn compare(spec: &OverSpec, a: &Cells, b: &Cells) -> Ordering {
    let by_column = spec.order_by.iter().map(|order| {
        let (a, b) = (&a[order.column], &b[order.column]);
        match (a == NULL, b == NULL) {
            (false, false) => {
                let found = compare_cells(order.column, a, b);
                if order.descending {
                    found.reverse()
                } else {
                    found
                }
            }
            (a, b) if order.nulls_first => b.cmp(&a),
            (a, b) => a.cmp(&b),
        }
    });
    by_column.fold(Ordering::Equal, Ordering::then)
}

/// A partition in order.
struct Partition<'a> {
    spec: &'a OverSpec,
    rows: Vec<&'a Cells>,
}

impl Partition<'_> {
    fn ties(&self, a: usize, b: usize) -> bool {
        match self.spec.form {
            OverForm::Arrival => a == b,
            _ => compare(self.spec, self.rows[a], self.rows[b]).is_eq(),
        }
    }

    fn peers(&self, row: usize) -> Vec<usize> {
        (0..self.rows.len())
            .filter(|other| self.ties(row, *other))
            .collect()
    }

    /// Whether a row is in the frame of another.
    fn in_frame(&self, frame: &Frame, row: usize, other: usize) -> bool {
        let apart = row as i128 - other as i128;
        match frame.unit {
            FrameUnit::Rows => {
                let start = match frame.start {
                    Bound::Unbounded => true,
                    Bound::Current => apart <= 0,
                    Bound::Preceding(n) => apart <= i128::from(n),
                };
                let end = match frame.end {
                    Bound::Unbounded => true,
                    Bound::Current => apart >= 0,
                    Bound::Preceding(n) => apart >= i128::from(n),
                };
                start && end
            }
            FrameUnit::Range => {
                let peer = self.ties(row, other);
                let distance = || {
                    let order = &self.spec.order_by[0];
                    let cells = [row, other].map(|row| &self.rows[row][order.column]);
                    let [Some(own), Some(others)] =
                        cells.map(|cell| (cell != NULL).then(|| along(order.column, cell)))
                    else {
                        return None;
                    };
                    Some(if order.descending {
                        others - own
                    } else {
                        own - others
                    })
                };
                // NULLs are at no distance of values, but in front of all or behind.
                let near = |behind: bool, holds: &dyn Fn(i128) -> bool| {
                    let otherwise = peer || (other > row) == behind;
                    distance().map_or(otherwise, holds)
                };
                let start = match frame.start {
                    Bound::Unbounded => true,
                    Bound::Current => peer || other > row,
                    Bound::Preceding(n) => near(true, &|apart| apart <= i128::from(n)),
                };
                let end = match frame.end {
                    Bound::Unbounded => true,
                    Bound::Current => peer || other < row,
                    Bound::Preceding(n) => near(false, &|apart| apart >= i128::from(n)),
                };
                start && end
            }
        }
    }

    fn value(&self, call: &OverCall, row: usize) -> String {
        let all = 0..self.rows.len();
        let before = |row: usize| {
            all.clone()
                .filter(move |o| compare(self.spec, self.rows[*o], self.rows[row]).is_lt())
        };
        let argument = |row: usize| self.rows[row][call.argument.unwrap()].clone();
        let picked = |row: Option<usize>| row.map_or(NULL.to_string(), argument);
        let counts = |row: &usize| !call.ignore_nulls || argument(*row) != NULL;
        let frame: Vec<usize> = all
            .clone()
            .filter(|o| self.in_frame(&call.frame, row, *o))
            .collect();
        let by_arrival = self.spec.form == OverForm::Arrival;
        match call.function {
            OverFunction::RowNumber => (row + 1).to_string(),
            OverFunction::Rank | OverFunction::DenseRank if by_arrival => (row + 1).to_string(),
            OverFunction::Rank => (before(row).count() + 1).to_string(),
            OverFunction::DenseRank => {
                let mut firsts: Vec<usize> = before(row).map(|o| self.peers(o)[0]).collect();
                firsts.dedup();
                (firsts.len() + 1).to_string()
            }
            OverFunction::PercentRank => {
                let rest = self.rows.len() - 1;
                float(if rest == 0 {
                    0.0
                } else {
                    before(row).count() as f64 / rest as f64
                })
            }
            OverFunction::CumeDist => {
                let count = before(row).count() + self.peers(row).len();
                float(count as f64 / self.rows.len() as f64)
            }
            OverFunction::Tile(tiles) => tile(tiles as usize, self.rows.len(), row).to_string(),
            OverFunction::Shift { offset, default } => {
                let far = offset.unsigned_abs() as usize;
                let found = match offset {
                    0 => Some(row),
                    1.. => (row + 1..self.rows.len()).filter(counts).nth(far - 1),
                    _ => (0..row).rev().filter(counts).nth(far - 1),
                };
                match (found, default) {
                    (None, Some(column)) => self.rows[row][column].clone(),
                    (found, _) => picked(found),
                }
            }
            OverFunction::First => picked(frame.into_iter().find(counts)),
            OverFunction::Last => picked(frame.into_iter().rev().find(counts)),
            OverFunction::Nth(n) => picked(frame.into_iter().filter(counts).nth(n as usize - 1)),
            OverFunction::Aggregate(function) => {
                let passes = |row: &usize| call.filter.is_none_or(|f| self.rows[*row][f] == "true");
                let values = frame.into_iter().filter(passes);
                let values: Vec<String> = values
                    .map(|row| call.argument.map_or(String::new(), |_| argument(row)))
                    .filter(|cell| cell != NULL)
                    .collect();
                aggregate(call, function, values)
            }
        }
    }
}

fn tile(tiles: usize, count: usize, row: usize) -> usize {
    let mut behind = 0;
    for tile in 0..tiles {
        behind += count / tiles + usize::from(tile < count % tiles);
        if row < behind {
            return tile + 1;
        }
    }
    unreachable!()
}

fn float(value: f64) -> String {
    let column = Float64Array::from(vec![value]);
    let formatter = ArrayFormatter::try_new(&column, &FormatOptions::default()).unwrap();
    formatter.value(0).to_string()
}

fn decimal(units: i128, scale: u32) -> String {
    let one = 10i128.pow(scale);
    let sign = if units < 0 { "-" } else { "" };
    let (whole, part) = (units.abs() / one, units.abs() % one);
    format!("{sign}{whole}.{part:0width$}", width = scale as usize)
}

fn aggregate(call: &OverCall, function: AggregateFunction, mut values: Vec<String>) -> String {
    let column = call.argument.unwrap_or(A);
    if call.distinct {
        values.sort();
        values.dedup();
    }
    if function == AggregateFunction::Count {
        return values.len().to_string();
    }
    if values.is_empty() {
        return NULL.into();
    }
    let count = values.len();
    let total: i128 = match column {
        A | M => values.iter().map(|v| along(column, v)).sum(),
        _ => 0,
    };
    let floats = || values.iter().map(|v| v.parse::<f64>().unwrap());
    match (function, column) {
        (AggregateFunction::Sum, M) => decimal(total, 2),
        (AggregateFunction::Sum, D) => float(floats().sum()),
        (AggregateFunction::Sum, _) => total.to_string(),
        (AggregateFunction::Avg, M) => decimal(total * 10_000 / count as i128, 6),
        (AggregateFunction::Avg, D) => float(floats().sum::<f64>() / count as f64),
        (AggregateFunction::Avg, _) => float(total as f64 / count as f64),
        (extreme, _) => {
            values.sort_by(|a, b| compare_cells(column, a, b));
            let least = extreme == AggregateFunction::Min;
            values[if least { 0 } else { count - 1 }].clone()
        }
    }
}

/// What comes out of rows in the order of their arrival.
fn expected(spec: &OverSpec, rows: &[Cells]) -> Vec<String> {
    let partition = |row: &Cells| {
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
        let mut own: Vec<&Cells> = rows.iter().filter(|row| partition(row) == key).collect();
        own.sort_by(|a, b| compare(spec, a, b));
        let partition = Partition { spec, rows: own };
        for row in 0..partition.rows.len() {
            let values = spec.calls.iter().map(|call| partition.value(call, row));
            let cells = partition.rows[row].iter().cloned().chain(values);
            lines.push(cells.collect::<Vec<_>>().join(" | "));
        }
    }
    lines.sort();
    lines
}

fn random_frame(random: &mut SmallRng, spec: &OverSpec) -> Frame {
    let forward = !matches!(spec.form, OverForm::Corrected { .. });
    let distances = match spec.order_by.as_slice() {
        [order] => matches!(order.column, T | A | M),
        _ => false,
    };
    let unit = [FrameUnit::Rows, FrameUnit::Range][random.random_range(0..2)];
    let bounded = unit == FrameUnit::Rows || distances;
    let far = if unit == FrameUnit::Rows { 5 } else { 60 };
    let bound = |random: &mut SmallRng, least: i64| match random.random_range(0..4) {
        0 => Bound::Unbounded,
        1 => Bound::Current,
        _ if bounded => Bound::Preceding(random.random_range(least..far)),
        _ => Bound::Current,
    };
    match forward {
        true => frame(unit, bound(random, 0), Bound::Current),
        false => frame(unit, bound(random, -far), bound(random, -far)),
    }
}

fn random_call(random: &mut SmallRng, spec: &OverSpec) -> OverCall {
    let forward = !matches!(spec.form, OverForm::Corrected { .. });
    let column = [A, S, D, M, T][random.random_range(0..5)];
    let number = [A, D, M][random.random_range(0..3)];
    let frame = random_frame(random, spec);
    let offset = random.random_range(if forward { -3..1 } else { -3..4 });
    let default = random.random_ratio(1, 3).then_some(column);
    let (function, argument) = match random.random_range(0..if forward { 12 } else { 15 }) {
        0 => (OverFunction::RowNumber, None),
        1 => (OverFunction::Rank, None),
        2 => (OverFunction::DenseRank, None),
        3 | 4 => (OverFunction::Shift { offset, default }, Some(column)),
        5 => (OverFunction::First, Some(column)),
        6 => (OverFunction::Last, Some(column)),
        7 => (OverFunction::Nth(random.random_range(1..4)), Some(column)),
        8 => (OverFunction::Aggregate(AggregateFunction::Count), None),
        9 => (
            OverFunction::Aggregate(AggregateFunction::Min),
            Some(column),
        ),
        10 => (
            OverFunction::Aggregate(AggregateFunction::Max),
            Some(column),
        ),
        11 => {
            let functions = [
                AggregateFunction::Count,
                AggregateFunction::Sum,
                AggregateFunction::Avg,
            ];
            let function = functions[random.random_range(0..3)];
            (OverFunction::Aggregate(function), Some(number))
        }
        12 => (OverFunction::PercentRank, None),
        13 => (OverFunction::CumeDist, None),
        _ => (OverFunction::Tile(random.random_range(1..5)), None),
    };
    let aggregate = matches!(function, OverFunction::Aggregate(_));
    let picks = matches!(
        function,
        OverFunction::Shift { .. }
            | OverFunction::First
            | OverFunction::Last
            | OverFunction::Nth(_)
    );
    OverCall {
        filter: (aggregate && random.random_ratio(1, 4)).then_some(F),
        distinct: aggregate && argument.is_some() && random.random_ratio(1, 3),
        ignore_nulls: picks && random.random_ratio(1, 3),
        ..call(function, argument, frame)
    }
}

fn random_spec(random: &mut SmallRng, form: OverForm) -> OverSpec {
    let order_by = match (form, random.random_range(0..6)) {
        (OverForm::Time, _) => vec![by(T)],
        (OverForm::Arrival, _) | (_, 0) => vec![],
        (_, at) => {
            let mut order = |column| OrderColumn {
                column,
                descending: random.random(),
                nulls_first: random.random(),
            };
            match at {
                1 => vec![order(A), order(T)],
                2 => vec![order(S)],
                3 => vec![order(M)],
                4 => vec![order(A)],
                _ => vec![order(T)],
            }
        }
    };
    let mut spec = OverSpec {
        partition_by: [vec![], vec![K], vec![K], vec![K, S]][random.random_range(0..4)].clone(),
        order_by,
        ..spec(form, vec![])
    };
    for _ in 0..random.random_range(1..5) {
        let call = random_call(random, &spec);
        spec.calls.push(call);
    }
    spec
}

fn random_row(random: &mut SmallRng, times: Range<i64>) -> Cells {
    let mut or_null = |text: String| match random.random_range(0..8) {
        0 => NULL.to_string(),
        _ => text,
    };
    let mut cells = vec![or_null(String::new()); 7];
    let texts = ["a", "b", "a text of which the beginning is long", "c"];
    let fill = [
        random.random_range(0..3).to_string(),
        chrono_text(random.random_range(times)),
        random.random_range(-20..20).to_string(),
        texts[random.random_range(0..texts.len())].to_string(),
        float(f64::from(random.random_range(-8..8)) / 4.0),
        decimal(random.random_range(-500..500), 2),
        random.random::<bool>().to_string(),
    ];
    for (column, (cell, text)) in cells.iter_mut().zip(fill).enumerate() {
        let null = *cell == NULL || random.random_ratio(1, 8);
        *cell = if null && column != T {
            NULL.into()
        } else {
            text
        };
    }
    cells
}

fn line(kind: &str, row: &Cells) -> String {
    format!("{kind} | {}", row.join(" | "))
}

fn backend(random: &mut SmallRng, seed: u64) -> BackendKind {
    match seed.is_multiple_of(2).then(|| random.random_range(0..4)) {
        Some(0) => BackendKind::RocksDb,
        Some(1) => BackendKind::Disk,
        _ => BackendKind::Memory,
    }
}

/// Random changes, through subtasks that change in number and backend.
fn corrected_run(seed: u64) {
    let mut random = SmallRng::seed_from_u64(seed);
    let updating = random.random_ratio(2, 3);
    let spec = random_spec(&mut random, OverForm::Corrected { updating });
    let mut over = pipeline(&spec);
    over.memory_bytes = if seed.is_multiple_of(3) { 64 } else { 1 << 20 };
    let mut there: Vec<Cells> = vec![];
    for step in 0..24 {
        let mut lines = vec![];
        for _ in 0..random.random_range(1..14) {
            if updating && !there.is_empty() && random.random_ratio(2, 5) {
                let row = there[random.random_range(0..there.len())].clone();
                // Of equal rows the last to come goes.
                let at = there.iter().rposition(|other| *other == row).unwrap();
                there.remove(at);
                lines.push(line(["-D", "-U"][random.random_range(0..2)], &row));
            } else {
                let row = random_row(&mut random, 0..200);
                lines.push(line(["+I", "+U"][random.random_range(0..2)], &row));
                there.push(row);
            }
        }
        over.process(batch(&schema(ROWS), &lines.join("\n")));
        let mut result = over.result();
        result.sort();
        let place = format!("seed {seed}, step {step}, {spec:?}");
        assert_same(result, expected(&spec, &there), &place);
        if step % 5 == 4 {
            let backend = backend(&mut random, seed);
            over.rescale(random.random_range(1..5), backend);
        }
    }
}

#[test]
fn random_changes_give_what_definitions_say_of_what_is_there() {
    for seed in 0..200 {
        corrected_run(seed);
    }
}

/// Random rows that only come, out of order, with watermarks.
fn forward_run(seed: u64) {
    let mut random = SmallRng::seed_from_u64(seed);
    let form = [OverForm::Time, OverForm::Time, OverForm::Arrival][random.random_range(0..3)];
    let spec = random_spec(&mut random, form);
    let mut over = pipeline(&spec);
    over.memory_bytes = if seed.is_multiple_of(3) { 64 } else { 1 << 20 };
    let mut there: Vec<Cells> = vec![];
    let mut watermark = 0;
    over.watermark(watermark);
    for step in 0..24 {
        let mut lines = vec![];
        for _ in 0..random.random_range(1..14) {
            let row = random_row(&mut random, watermark - 10..watermark + 60);
            lines.push(line("+I", &row));
            let late = form == OverForm::Time && milliseconds_signed(&row[T]) < watermark;
            if !late {
                there.push(row);
            }
        }
        over.process(batch(&schema(ROWS), &lines.join("\n")));
        if random.random_ratio(2, 3) {
            watermark += random.random_range(0..40);
            over.watermark(watermark);
            assert_eq!(over.output_watermark(watermark), watermark);
        }
        if step % 5 == 4 {
            let backend = backend(&mut random, seed);
            over.rescale(random.random_range(1..5), backend);
            over.watermark(watermark);
        }
    }
    over.watermark(MAX_WATERMARK);
    assert!(over.lines.iter().all(|line| line.starts_with("+I")));
    let mut result = over.result();
    result.sort();
    assert_same(
        result,
        expected(&spec, &there),
        &format!("seed {seed}, {spec:?}"),
    );
}

/// Of times around 1970.
fn milliseconds_signed(cell: &str) -> i64 {
    let late = cell.starts_with("1969");
    let ms = milliseconds(cell) as i64;
    if late { ms - 60_000 } else { ms }
}

#[test]
fn random_rows_in_time_give_what_definitions_say_once() {
    for seed in 0..200 {
        forward_run(seed);
    }
}
