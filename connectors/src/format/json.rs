//! JSON: one object per message or per line.
//!
//! # Decoding on demand
//! A row is walked once, from its first to its last byte, and only what the query reads is kept:
//! - what stood between two values of the last row predicts what stands there in the next: comma, key
//!   and colon cost one comparison of 16 bytes ([`column`](super::column) `::keys`), also in objects
//!   that nobody reads;
//! - a value that nobody reads is passed over: strings in steps of 32 bytes (`scan`), everything else
//!   by the grammar (`cursor`);
//! - a value that is read goes straight into its Arrow column (`value`), without a document tree, an
//!   allocation or a virtual call. What is unusual (conversions, escapes, NULLs, nested values) leaves
//!   the quick path for the thorough one in `read`, which also words the errors.
//!
//! UTF-8 is checked once per block of 64 KiB, not per string. Line ends are not searched beforehand:
//! a control character cannot stand inside of a JSON string, so the walk itself stops at the line's
//! end, whatever the damage.
//!
//! # What profiles taught
//! Nexmark rows of 300 bytes are decoded at 1.7 GB/s with 5 of a bid's 9 values wanted and at 2.0 GB/s
//! with none, on one busy core of the baseline machine, where Arrow's own JSON reader does 0.2 GB/s
//! (`examples/format_speed.rs`). The check of the encoding is a sixteenth of the time, at 28 GB/s;
//! what counts is not bytes but decisions per field, above all those that no branch predictor can
//! foresee (where does this string end?). What helped, in the order of its effect:
//! - comparing punctuation and key together instead of one after the other, in skipped objects too;
//! - remembering several forms of what stands at a place, for streams that mix kinds of records;
//! - looking for the usual form of a value before anything else, and keeping the place in a register
//!   while that succeeds;
//! - digits eight at a time, hours, minutes and seconds in one word, the date by comparison with the
//!   last one;
//! - marks of NULLs turned into bits eight at a time.

mod cursor;
mod decode;
mod encode;
mod escape;
mod read;
mod scan;
mod value;

#[cfg(test)]
mod tests;

use arrow::datatypes::{Schema, SchemaRef};

use encode::{MapNullKey, Style};

use crate::format::cells::TimestampForm;
use crate::format::ledger::Ledger;
use crate::format::{Decoder, Encoder, Framing, OnBadRow, RowFormat};
use crate::options::Options;
use levada_engine::{EngineError, Result};

/// The format `json`.
#[derive(Debug, Clone)]
pub struct Json {
    strictness: read::Strictness,
    /// The full name of the option `ignore-parse-errors`, for hints.
    ignore_option: String,
    style: Style,
}

impl Default for Json {
    fn default() -> Self {
        Self {
            strictness: read::Strictness {
                ignore_parse_errors: false,
                fail_on_missing_field: false,
            },
            ignore_option: "json.ignore-parse-errors".to_string(),
            style: Style::default(),
        }
    }
}

impl Json {
    /// Reads the options `{prefix}json.…`.
    pub fn from_options(prefix: &str, options: &mut Options) -> Result<Self> {
        let name = |option: &str| format!("{prefix}json.{option}");
        let ignore_option = name("ignore-parse-errors");
        let strictness = read::Strictness {
            fail_on_missing_field: options.boolean(&name("fail-on-missing-field"), false)?,
            ignore_parse_errors: options.boolean(&ignore_option, false)?,
        };
        if strictness.fail_on_missing_field && strictness.ignore_parse_errors {
            return Err(EngineError::config(format!(
                "'{}' and '{ignore_option}' cannot both be 'true'",
                name("fail-on-missing-field")
            )));
        }
        let forms = [
            ("SQL", TimestampForm::Sql),
            ("ISO-8601", TimestampForm::Iso8601),
        ];
        let timestamps = options.choice(&name("timestamp-format.standard"), &forms)?;
        let literal = options.text(&name("map-null-key.literal"));
        let literal = literal.unwrap_or_else(|| "null".to_string());
        let modes = [("FAIL", 0), ("DROP", 1), ("LITERAL", 2)];
        let map_null_key = match options.choice(&name("map-null-key.mode"), &modes)? {
            Some(1) => MapNullKey::Drop,
            Some(2) => MapNullKey::Literal(literal),
            _ => MapNullKey::Fail,
        };
        let style = Style {
            timestamps: timestamps.unwrap_or(TimestampForm::Sql),
            map_null_key,
            plain_decimals: options.boolean(&name("encode.decimal-as-plain-number"), false)?,
        };
        Ok(Self {
            strictness,
            ignore_option,
            style,
        })
    }
}

impl RowFormat for Json {
    fn identifier(&self) -> &'static str {
        "json"
    }

    fn splittable(&self) -> bool {
        true
    }

    fn decoder(
        &self,
        _table: &Schema,
        wanted: SchemaRef,
        on_bad_row: OnBadRow,
    ) -> Result<Box<dyn Decoder>> {
        let ignore = (
            self.ignore_option.as_str(),
            self.strictness.ignore_parse_errors,
        );
        let ledger = Ledger::new(Some(ignore), on_bad_row)?;
        Ok(Box::new(decode::JsonDecoder::new(
            wanted,
            self.strictness,
            ledger,
        )?))
    }

    fn encoder(&self, schema: SchemaRef, framing: Framing) -> Result<Box<dyn Encoder>> {
        Ok(Box::new(encode::JsonEncoder::new(
            &schema,
            self.style.clone(),
            framing,
        )?))
    }
}
