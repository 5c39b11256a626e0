//! Do two systems' outputs agree? Rows are put into one canonical form, hashed one by one, and the
//! hashes added up, so neither order nor a system's way of writing a number matters.

use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use serde_json::Value;

use crate::error::{At, Error, Result};
use crate::query::Check;

#[cfg(test)]
mod tests;

/// Stands for a multiset of rows. Equal multisets have equal digests; unequal ones have different
/// digests except by a chance of about 2⁻⁶⁴.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Digest {
    /// Number of rows; for a total, the total itself.
    pub rows: u64,
    /// Sum of the rows' hashes; zero for a total.
    pub checksum: u64,
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} rows, checksum {:016x}", self.rows, self.checksum)
    }
}

impl Digest {
    /// Reads a file of rows: JSON objects or arrays, one a line, their columns in order.
    ///
    /// # Errors
    /// When the file can't be read or holds anything else, or lacks the column to total.
    pub fn of_file(path: &Path, check: &Check) -> Result<Self> {
        let reader = BufReader::with_capacity(1 << 20, File::open(path).at(path)?);
        let mut digest = Self::default();
        for (index, line) in reader.lines().enumerate() {
            let line = line.at(path)?;
            digest.add(&line, check).map_err(|reason| {
                Error::Invalid(format!("{}:{}: {reason}", path.display(), index + 1))
            })?;
        }
        Ok(digest)
    }

    fn add(&mut self, line: &str, check: &Check) -> std::result::Result<(), String> {
        let row: Value = serde_json::from_str(line).map_err(|e| format!("not JSON: {e}"))?;
        match check {
            Check::Rows => {
                self.rows += 1;
                self.checksum = self.checksum.wrapping_add(hash(&canonical(&row)?));
            }
            Check::Total { column, index } => {
                let value = match &row {
                    Value::Object(fields) => fields.get(column),
                    Value::Array(values) => values.get(*index),
                    _ => None,
                };
                self.rows += value
                    .and_then(Value::as_u64)
                    .ok_or_else(|| format!("no number in column {column}: {line}"))?;
            }
        }
        Ok(())
    }
}

/// FNV-1a, then the finalizer of SplitMix64, without which sums of hashes of like rows collide. Its
/// values are kept in files (nexmark/expected.txt), so it must never change.
fn hash(text: &str) -> u64 {
    let fnv = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let mixed = (fnv ^ (fnv >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// The row's values, separated by a character that no value has.
fn canonical(row: &Value) -> std::result::Result<String, String> {
    let mut text = String::new();
    let values: Vec<&Value> = match row {
        Value::Object(fields) => fields.values().collect(),
        Value::Array(values) => values.iter().collect(),
        other => return Err(format!("neither an object nor an array: {other}")),
    };
    for value in values {
        match value {
            Value::Null => text.push_str("\u{0}null"),
            Value::String(string) => text.push_str(&canonical_string(string)),
            Value::Number(number) => text.push_str(&canonical_number(&number.to_string())),
            other => text.push_str(&other.to_string()),
        }
        text.push('\u{1f}');
    }
    Ok(text)
}

/// Times lose the `T` and trailing zeros; numbers in quotes (decimals, in some writers) count as
/// numbers.
fn canonical_string(text: &str) -> String {
    let bytes = text.as_bytes();
    let is_time = bytes.len() >= 16
        && bytes.iter().take(4).all(u8::is_ascii_digit)
        && bytes.get(4) == Some(&b'-')
        && bytes.get(7) == Some(&b'-')
        && matches!(bytes.get(10), Some(b'T' | b' '))
        && bytes.get(13) == Some(&b':');
    if is_time {
        return canonical_time(text);
    }
    if bytes
        .first()
        .is_some_and(|b| b.is_ascii_digit() || *b == b'-')
        && bytes.iter().all(|b| matches!(b, b'0'..=b'9' | b'-' | b'.'))
        && text.parse::<f64>().is_ok()
    {
        return canonical_number(text);
    }
    text.to_owned()
}

fn canonical_time(text: &str) -> String {
    let mut time = text.replacen('T', " ", 1);
    // Some writers leave out seconds that are zero.
    if time.len() == 16 {
        time.push_str(":00");
    }
    if time.contains('.') {
        let end = time.trim_end_matches('0').trim_end_matches('.').len();
        time.truncate(end);
    }
    time
}

/// Integers as they are; everything else with twelve significant digits, so that a decimal and the
/// nearest binary fraction are the same number.
fn canonical_number(text: &str) -> String {
    if let Ok(integer) = text.parse::<i128>() {
        return integer.to_string();
    }
    match text.parse::<f64>() {
        Ok(number) if number.fract() == 0.0 && number.abs() < 1e15 => format!("{number:.0}"),
        Ok(number) => format!("{number:.11e}"),
        Err(_) => text.to_owned(),
    }
}
