//! A line a row: csv, json and changelog.

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use levada_engine::element::Batch;

use super::value::{self, Style};
use super::{End, Result, RowSink};

/// Which lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A line of names, then a line a row; NULL is nothing, the empty string `""`.
    Csv,
    /// One object a line, columns in their order.
    Json,
    /// `+I | a | b`: the row kind and the values; separators within a value have a backslash.
    Changelog,
}

/// Writes lines as rows come.
pub struct Lines<W: Write> {
    out: W,
    format: Format,
    /// Names as they appear in front of each JSON value, with quotes and colon.
    names: Vec<String>,
    buffer: String,
}

impl<W: Write> Lines<W> {
    /// Lines of rows with this schema. Writes the header, if the format has one.
    pub fn new(out: W, format: Format, schema: &SchemaRef) -> Result<Self> {
        let names = schema.fields().iter().map(|field| {
            let mut name = String::new();
            value::json_string(&mut name, field.name());
            name.push(':');
            name
        });
        let mut lines = Lines {
            out,
            format,
            names: names.collect(),
            buffer: String::new(),
        };
        if format == Format::Csv {
            lines.csv_header(schema);
            lines.flush()?;
        }
        Ok(lines)
    }

    fn csv_header(&mut self, schema: &SchemaRef) {
        for (position, field) in schema.fields().iter().enumerate() {
            if position > 0 {
                self.buffer.push(',');
            }
            csv_field(&mut self.buffer, field.name());
        }
        self.buffer.push('\n');
    }

    fn csv_row(&mut self, rows: &RecordBatch, row: usize) {
        let mut text = String::new();
        for (position, column) in rows.columns().iter().enumerate() {
            if position > 0 {
                self.buffer.push(',');
            }
            if !value::is_null(column, row) {
                text.clear();
                value::write(&mut text, column, row, Style::Text(None));
                csv_field(&mut self.buffer, &text);
            }
        }
        self.buffer.push('\n');
    }

    fn json_row(&mut self, rows: &RecordBatch, row: usize) {
        self.buffer.push('{');
        for (position, (name, column)) in self.names.iter().zip(rows.columns()).enumerate() {
            if position > 0 {
                self.buffer.push(',');
            }
            self.buffer.push_str(name);
            value::json_or_null(&mut self.buffer, column, row);
        }
        self.buffer.push_str("}\n");
    }

    fn changelog_row(&mut self, batch: &Batch, row: usize) {
        self.buffer.push_str(batch.kind(row).short());
        let mut text = String::new();
        for column in batch.rows().columns() {
            self.buffer.push_str(" | ");
            match value::is_null(column, row) {
                true => self.buffer.push_str("NULL"),
                false => {
                    text.clear();
                    value::write(&mut text, column, row, Style::Text(None));
                    changelog_field(&mut self.buffer, &text);
                }
            }
        }
        self.buffer.push('\n');
    }

    fn flush(&mut self) -> Result<()> {
        self.out.write_all(self.buffer.as_bytes())?;
        self.out.flush()?;
        self.buffer.clear();
        Ok(())
    }
}

impl<W: Write> RowSink for Lines<W> {
    fn batch(&mut self, batch: &Batch) -> Result<()> {
        for row in 0..batch.num_rows() {
            match self.format {
                Format::Csv => self.csv_row(batch.rows(), row),
                Format::Json => self.json_row(batch.rows(), row),
                Format::Changelog => self.changelog_row(batch, row),
            }
        }
        self.flush()
    }

    fn finish(&mut self, _end: End) -> Result<()> {
        self.flush()
    }
}

/// RFC 4180, with the empty string in quotes so that it is not NULL.
fn csv_field(out: &mut String, text: &str) {
    let plain = !text.is_empty() && !text.contains(['"', ',', '\n', '\r']);
    if plain {
        out.push_str(text);
        return;
    }
    out.push('"');
    for c in text.chars() {
        if c == '"' {
            out.push('"');
        }
        out.push(c);
    }
    out.push('"');
}

fn changelog_field(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\\' => out.push_str("\\\\"),
            '|' => out.push_str("\\|"),
            c => out.push(c),
        }
    }
}
