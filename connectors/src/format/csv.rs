//! CSV: one row per line, columns by their place, as in RFC 4180.
//!
//! A field in quotes may hold delimiters and line ends, and quotes written twice. With an escape
//! character, that character takes the meaning from the next one, in quotes or not, and `n`, `r` and
//! `t` behind it stand for control characters.
//!
//! A field is NULL if it is not quoted and equals the null literal, or if it is empty and its column
//! is not of a text type. There is no header line.

mod decode;
mod encode;
mod split;
mod value;

#[cfg(test)]
mod tests;

use arrow::datatypes::{DataType, Schema, SchemaRef};
use levada_engine::{EngineError, Result};

use crate::format::ledger::Ledger;
use crate::format::{Decoder, Encoder, Framing, OnBadRow, RowFormat};
use crate::options::Options;

/// The format `csv`.
#[derive(Debug, Clone)]
pub struct Csv {
    dialect: Dialect,
    ignore_parse_errors: bool,
    /// The full name of the option `ignore-parse-errors`, for hints.
    ignore_option: String,
}

/// The characters that structure the text. All are ASCII.
#[derive(Debug, Clone)]
struct Dialect {
    delimiter: u8,
    quote: Option<u8>,
    escape: Option<u8>,
    /// Lines that begin with `#` are no rows.
    comments: bool,
    null_literal: Option<Vec<u8>>,
}

impl Csv {
    /// Reads the options `{prefix}csv.…`.
    pub fn from_options(prefix: &str, options: &mut Options) -> Result<Self> {
        let name = |option: &str| format!("{prefix}csv.{option}");
        let ignore_option = name("ignore-parse-errors");
        let delimiter = ascii(options, &name("field-delimiter"))?;
        let quote = ascii(options, &name("quote-character"))?;
        let no_quotes = options.boolean(&name("disable-quote-character"), false)?;
        if no_quotes && quote.is_some() {
            return Err(EngineError::config(format!(
                "'{}' and '{}' contradict each other",
                name("disable-quote-character"),
                name("quote-character")
            )));
        }
        let dialect = Dialect {
            delimiter: delimiter.unwrap_or(b','),
            quote: (!no_quotes).then_some(quote.unwrap_or(b'"')),
            escape: ascii(options, &name("escape-character"))?,
            comments: options.boolean(&name("allow-comments"), false)?,
            null_literal: options.text(&name("null-literal")).map(String::into_bytes),
        };
        let marks = [Some(dialect.delimiter), dialect.quote, dialect.escape];
        let distinct = marks
            .iter()
            .flatten()
            .collect::<std::collections::BTreeSet<_>>()
            .len();
        if distinct < marks.iter().flatten().count() {
            return Err(EngineError::config(format!(
                "'{}', '{}' and '{}' must be different characters",
                name("field-delimiter"),
                name("quote-character"),
                name("escape-character")
            )));
        }
        Ok(Self {
            dialect,
            ignore_parse_errors: options.boolean(&ignore_option, false)?,
            ignore_option,
        })
    }
}

/// An option that is a single ASCII character; `\t` and `\\` may be written with a backslash.
fn ascii(options: &mut Options, name: &str) -> Result<Option<u8>> {
    let character = match options.text(name).as_deref() {
        Some("\\t") => Some('\t'),
        Some("\\\\") => Some('\\'),
        _ => options.character(name)?,
    };
    match character {
        None => Ok(None),
        Some(c @ ('\t' | ' '..='~')) => Ok(Some(c as u8)),
        Some(_) => Err(options.invalid(name, "a printable ASCII character or a tab")),
    }
}

fn check_types(schema: &Schema) -> Result<()> {
    for field in schema.fields() {
        if field.data_type().is_nested() && !matches!(field.data_type(), DataType::Dictionary(..)) {
            return Err(EngineError::config(format!(
                "the column '{}' is an ARRAY, MAP or ROW, which the format 'csv' cannot hold",
                field.name()
            ))
            .with_hint("use the format 'json', or declare the column as STRING"));
        }
    }
    Ok(())
}

impl RowFormat for Csv {
    fn identifier(&self) -> &'static str {
        "csv"
    }

    fn splittable(&self) -> bool {
        // A line end in the middle of a file may stand inside quotes or behind an escape character.
        self.dialect.quote.is_none() && self.dialect.escape.is_none()
    }

    fn decoder(
        &self,
        table: &Schema,
        wanted: SchemaRef,
        on_bad_row: OnBadRow,
    ) -> Result<Box<dyn Decoder>> {
        check_types(table)?;
        check_types(&wanted)?;
        let ignore = (self.ignore_option.as_str(), self.ignore_parse_errors);
        let ledger = Ledger::new(Some(ignore), on_bad_row)?;
        Ok(Box::new(decode::CsvDecoder::new(
            self, table, wanted, ledger,
        )?))
    }

    fn encoder(&self, schema: SchemaRef, framing: Framing) -> Result<Box<dyn Encoder>> {
        check_types(&schema)?;
        Ok(Box::new(encode::CsvEncoder::new(
            &schema,
            self.dialect.clone(),
            framing,
        )?))
    }
}
