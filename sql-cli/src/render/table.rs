//! Tables for people.

use std::io::Write;

use arrow::array::timezone::Tz;
use arrow::datatypes::{Schema, SchemaRef};
use levada_engine::element::Batch;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::value::{self, Style};
use super::{End, Result, RowSink};

/// How many rows settle the widths of a table that is printed while rows arrive.
const SETTLE_ROWS: usize = 1000;
/// No column is made narrower than this to fit a terminal.
const NARROWEST: usize = 6;

/// What a table may look like.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// The widest column, in characters; longer values are cut. `None` never cuts.
    pub column_width: Option<usize>,
    /// The width of the terminal, into which columns are squeezed.
    pub total_width: Option<usize>,
    /// The time zone of instants.
    pub zone: Option<Tz>,
    /// Whether a column with the row kind comes first.
    pub kinds: bool,
}

/// One line of cells.
pub type Cells = Vec<String>;

/// The names of the columns.
pub fn header(schema: &Schema, kinds: bool) -> Cells {
    let op = kinds.then(|| "op".to_string());
    let names = schema.fields().iter().map(|field| printable(field.name()));
    op.into_iter().chain(names).collect()
}

/// The cells of each row of a batch.
pub fn cells(batch: &Batch, options: &Options) -> Vec<Cells> {
    let style = Style::Text(options.zone);
    let row = |row| {
        let op = options.kinds.then(|| batch.kind(row).short().to_string());
        let values = batch.rows().columns().iter().map(|column| {
            if value::is_null(column, row) {
                return "NULL".to_string();
            }
            let mut text = String::new();
            value::write(&mut text, column, row, style);
            printable(&text)
        });
        op.into_iter().chain(values).collect()
    };
    (0..batch.num_rows()).map(row).collect()
}

/// Control characters would tear the table, or the terminal; they are shown as escapes.
fn printable(text: &str) -> String {
    if !text.chars().any(char::is_control) {
        return text.to_string();
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c.is_control() {
            true => out.extend(c.escape_default()),
            false => out.push(c),
        }
    }
    out
}

/// The widths and alignments of a table's columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    widths: Vec<usize>,
    right: Vec<bool>,
    cut: bool,
}

impl Layout {
    /// The layout that fits a header and rows.
    pub fn fit(schema: &Schema, header: &Cells, rows: &[Cells], options: &Options) -> Self {
        let mut widths: Vec<usize> = header.iter().map(|name| name.width()).collect();
        for row in rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.width());
            }
        }
        if let Some(most) = options.column_width {
            for (width, name) in widths.iter_mut().zip(header) {
                *width = (*width).min(most.max(name.width()));
            }
        }
        if let Some(total) = options.total_width {
            squeeze(&mut widths, total);
        }
        let op = options.kinds.then_some(false);
        let numeric = schema
            .fields()
            .iter()
            .map(|f| value::is_numeric(f.data_type()));
        Layout {
            widths,
            right: op.into_iter().chain(numeric).collect(),
            cut: options.column_width.is_some() || options.total_width.is_some(),
        }
    }

    /// Makes columns as wide as values of their types that are still to come, so that those need
    /// not be cut, as far as the terminal is wide enough.
    fn leave_room(&mut self, schema: &Schema, options: &Options) {
        let kinds = usize::from(options.kinds);
        for (width, field) in self.widths.iter_mut().skip(kinds).zip(schema.fields()) {
            *width = (*width).max(value::usual_width(field.data_type()));
        }
        if let Some(total) = options.total_width {
            squeeze(&mut self.widths, total);
        }
    }

    /// `+----+----+`
    pub fn rule(&self) -> String {
        let mut line = String::from("+");
        for width in &self.widths {
            line.push_str(&"-".repeat(width + 2));
            line.push('+');
        }
        line
    }

    /// `| a  |  1 |`
    pub fn line(&self, cells: &[String]) -> String {
        let mut line = String::from("|");
        for ((cell, width), right) in cells.iter().zip(&self.widths).zip(&self.right) {
            let cut;
            // Part of a number is another number.
            let cell = match self.cut && !right && cell.width() > *width {
                true => {
                    cut = truncate(cell, *width);
                    &cut
                }
                false => cell,
            };
            let padding = " ".repeat(width.saturating_sub(cell.width()));
            match right {
                true => line.push_str(&format!(" {padding}{cell} |")),
                false => line.push_str(&format!(" {cell}{padding} |")),
            }
        }
        line
    }
}

/// Takes from the widest columns until the table fits.
fn squeeze(widths: &mut [usize], total: usize) {
    let frame = 1 + 3 * widths.len();
    let room = total.saturating_sub(frame);
    let mut sum: usize = widths.iter().sum();
    while sum > room {
        let Some(widest) = widths.iter_mut().max_by_key(|width| **width) else {
            return;
        };
        if *widest <= NARROWEST {
            return;
        }
        *widest -= 1;
        sum -= 1;
    }
}

/// The beginning of a text, with an ellipsis, in so many columns of the terminal.
pub fn truncate(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_string();
    }
    let mut used = 1;
    let mut out = String::new();
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > width {
            break;
        }
        out.push(c);
    }
    out.push('…');
    out
}

/// Prints a table while its rows arrive: the first rows, or the first pause, settle its layout.
pub struct Table<W: Write> {
    out: W,
    schema: SchemaRef,
    options: Options,
    header: Cells,
    pending: Vec<Cells>,
    layout: Option<Layout>,
    rows: usize,
}

impl<W: Write> Table<W> {
    /// A table of rows with this schema.
    pub fn new(out: W, schema: SchemaRef, options: Options) -> Self {
        Table {
            out,
            header: header(&schema, options.kinds),
            schema,
            options,
            pending: Vec::new(),
            layout: None,
            rows: 0,
        }
    }

    /// Counts so many rows that are not shown.
    pub fn start_behind(&mut self, rows: usize) {
        self.rows = rows;
    }

    /// Prints what has come; `more` rows may follow and need room.
    fn settle(&mut self, more: bool) -> Result<()> {
        let layout = match self.layout.take() {
            Some(layout) => layout,
            None => {
                let mut layout =
                    Layout::fit(&self.schema, &self.header, &self.pending, &self.options);
                if more {
                    layout.leave_room(&self.schema, &self.options);
                }
                let (rule, header) = (layout.rule(), layout.line(&self.header));
                writeln!(self.out, "{rule}\n{header}\n{rule}")?;
                layout
            }
        };
        let mut text = String::new();
        for row in self.pending.drain(..) {
            text.push_str(&layout.line(&row));
            text.push('\n');
        }
        self.layout = Some(layout);
        self.out.write_all(text.as_bytes())?;
        Ok(self.out.flush()?)
    }
}

impl<W: Write> RowSink for Table<W> {
    fn batch(&mut self, batch: &Batch) -> Result<()> {
        self.rows += batch.num_rows();
        self.pending.extend(cells(batch, &self.options));
        match self.layout.is_some() || self.pending.len() >= SETTLE_ROWS {
            true => self.settle(true),
            false => Ok(()),
        }
    }

    fn tick(&mut self, _progress: &str) -> Result<()> {
        match self.pending.is_empty() {
            true => Ok(()),
            false => self.settle(true),
        }
    }

    fn finish(&mut self, end: End) -> Result<()> {
        // A query that failed before its first row has no table to show.
        if end == End::Complete || self.rows > 0 {
            self.settle(false)?;
            if let Some(layout) = &self.layout {
                writeln!(self.out, "{}\n{}", layout.rule(), count_of_rows(self.rows))?;
            }
        }
        Ok(self.out.flush()?)
    }
}

/// `1 row in set`
pub fn count_of_rows(rows: usize) -> String {
    match rows {
        1 => "1 row in set".to_string(),
        rows => format!("{rows} rows in set"),
    }
}
