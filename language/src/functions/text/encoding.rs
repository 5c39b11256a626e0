//! Texts as bytes and numbers in other notations.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use datafusion::common::Result;

use crate::functions::scalar::{Call, Param, coerce, evaluation};

/// The character sets of ENCODE and DECODE.
#[derive(Clone, Copy)]
enum Charset {
    Ascii,
    Latin1,
    Utf8,
    /// UTF-16, whose bytes have the lower one first or last, and may begin with a mark that says so.
    Utf16 {
        little: bool,
        marked: bool,
    },
}

impl Charset {
    fn named(name: &str) -> Result<Self> {
        let utf16 = |little, marked| Self::Utf16 { little, marked };
        Ok(match name.to_ascii_uppercase().as_str() {
            "US-ASCII" => Self::Ascii,
            "ISO-8859-1" => Self::Latin1,
            "UTF-8" => Self::Utf8,
            "UTF-16" => utf16(false, true),
            "UTF-16BE" => utf16(false, false),
            "UTF-16LE" => utf16(true, false),
            _ => {
                return Err(evaluation(format!(
                    "'{name}' is not a character set; it is one of US-ASCII, ISO-8859-1, UTF-8, \
                     UTF-16, UTF-16BE, UTF-16LE"
                )));
            }
        })
    }

    /// The bytes of a text; characters that the set does not have become '?'.
    fn encode(self, text: &str) -> Vec<u8> {
        let narrow = |most: u32| {
            let byte = |c: char| match u32::from(c) {
                code if code <= most => u8::try_from(code).unwrap_or(b'?'),
                _ => b'?',
            };
            text.chars().map(byte).collect()
        };
        match self {
            Self::Ascii => narrow(0x7F),
            Self::Latin1 => narrow(0xFF),
            Self::Utf8 => text.as_bytes().to_vec(),
            Self::Utf16 { little, marked } => {
                let mark = marked.then_some(0xFEFF);
                let units = mark.into_iter().chain(text.encode_utf16());
                units
                    .flat_map(|unit| match little {
                        true => unit.to_le_bytes(),
                        false => unit.to_be_bytes(),
                    })
                    .collect()
            }
        }
    }

    /// The text of bytes; what is none becomes the replacement character.
    fn decode(self, bytes: &[u8]) -> String {
        match self {
            Self::Ascii => bytes
                .iter()
                .map(|byte| match byte.is_ascii() {
                    true => char::from(*byte),
                    false => char::REPLACEMENT_CHARACTER,
                })
                .collect(),
            Self::Latin1 => bytes.iter().map(|byte| char::from(*byte)).collect(),
            Self::Utf8 => String::from_utf8_lossy(bytes).into_owned(),
            Self::Utf16 { little, marked } => {
                let (little, bytes) = match bytes {
                    [0xFE, 0xFF, rest @ ..] if marked => (false, rest),
                    [0xFF, 0xFE, rest @ ..] if marked => (true, rest),
                    _ => (little, bytes),
                };
                let units = bytes.chunks(2).map(|pair| match pair {
                    [first, second] if little => u16::from_le_bytes([*first, *second]),
                    [first, second] => u16::from_be_bytes([*first, *second]),
                    // A byte too few: half of a surrogate is no character either.
                    _ => 0xD800,
                });
                char::decode_utf16(units)
                    .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
                    .collect()
            }
        }
    }
}

/// ENCODE(text, character set) as BYTES.
pub(super) fn encode(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, sets) = (call.texts(0)?, call.texts(1)?);
    call.bytes_column(|row| match texts.get(row).zip(sets.get(row)) {
        Some((text, set)) => Ok(Some(Charset::named(set)?.encode(text))),
        None => Ok(None),
    })
}

/// DECODE(bytes, character set) as STRING.
pub(super) fn decode(call: &Call<'_>) -> Result<ArrayRef> {
    let (bytes, sets) = (call.bytes(0)?, call.texts(1)?);
    call.text_column(|row| match bytes.get(row).zip(sets.get(row)) {
        Some((bytes, set)) => Ok(Some(Charset::named(set)?.decode(bytes))),
        None => Ok(None),
    })
}

/// TO_BASE64(text or bytes).
pub(super) fn to_base64(call: &Call<'_>) -> Result<ArrayRef> {
    let bytes = call.bytes(0)?;
    call.written_column(|row, out| {
        let bytes = bytes.get(row);
        STANDARD.encode_string(bytes.unwrap_or_default(), out);
        Ok(bytes.is_some())
    })
}

/// FROM_BASE64(text): the bytes as text in UTF-8.
pub(super) fn from_base64(call: &Call<'_>) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    call.text_column(|row| {
        let Some(text) = texts.get(row) else {
            return Ok(None);
        };
        let bytes = STANDARD
            .decode(text)
            .map_err(|_| evaluation(format!("'{text}' is not Base64")))?;
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    })
}

/// An integer, or text and bytes as bytes.
pub(super) fn number_or_bytes(given: &[DataType]) -> Option<Vec<DataType>> {
    let [given] = given else {
        return None;
    };
    let param = match given.is_integer() {
        true => Param::Int,
        false => Param::Bytes,
    };
    coerce(param, given).map(|data_type| vec![data_type])
}

/// HEX(integer), or HEX(text or bytes), in capitals.
pub(super) fn hex(call: &Call<'_>) -> Result<ArrayRef> {
    if call.arg_type(0)? == DataType::Int64 {
        let numbers = call.ints(0)?;
        return call.text_column(|row| Ok(numbers.get(row).map(|number| format!("{number:X}"))));
    }
    let bytes = call.bytes(0)?;
    call.written_column(|row, out| {
        let Some(bytes) = bytes.get(row) else {
            return Ok(false);
        };
        push_hex(bytes, b"0123456789ABCDEF", out);
        Ok(true)
    })
}

/// Writes each byte as two of `digits`.
pub(super) fn push_hex(bytes: &[u8], digits: &[u8; 16], out: &mut String) {
    for byte in bytes {
        for half in [byte >> 4, byte & 0xF] {
            out.extend(digits.get(usize::from(half)).copied().map(char::from));
        }
    }
}

/// UNHEX(text): the bytes; NULL if there is something else than hexadecimal digits. Of an odd
/// number of digits the first is left out, and a zero byte stands for it.
pub(super) fn unhex(call: &Call<'_>) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    call.bytes_column(|row| Ok(texts.get(row).and_then(bytes_of_hex)))
}

fn bytes_of_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text
        .chars()
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    let (odd, pairs) = digits.split_at(digits.len() % 2);
    let bytes = pairs.chunks_exact(2).map(|pair| match pair {
        [high, low] => high << 4 | low,
        _ => 0,
    });
    Some(odd.iter().map(|_| 0).chain(bytes).collect())
}

/// BIN(integer): its binary digits; those of a negative number are its complement's.
pub(super) fn bin(call: &Call<'_>) -> Result<ArrayRef> {
    let numbers = call.ints(0)?;
    call.text_column(|row| Ok(numbers.get(row).map(|number| format!("{number:b}"))))
}

/// CONV(number, from base, to base): bases are 2 to 36; a negative base to convert to gives a
/// signed result. NULL if a base is another; what follows the digits is left out.
pub(super) fn conv(call: &Call<'_>) -> Result<ArrayRef> {
    let (numbers, froms, tos) = (call.texts(0)?, call.ints(1)?, call.ints(2)?);
    call.text_column(|row| {
        let (Some(number), Some(from), Some(to)) = (numbers.get(row), froms.get(row), tos.get(row))
        else {
            return Ok(None);
        };
        Ok(converted(number, from, to))
    })
}

fn converted(number: &str, from: i64, to: i64) -> Option<String> {
    let base = |base: i64| {
        let base = u32::try_from(base.unsigned_abs()).ok()?;
        (2..=36).contains(&base).then_some(base)
    };
    let (from, unsigned_base) = (base(from)?, base(to)?);
    let trimmed = number.trim();
    let (negative, digits) = match trimmed.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, trimmed),
    };
    let mut value: u64 = 0;
    for digit in digits.chars().map_while(|c| c.to_digit(from)) {
        value = value
            .saturating_mul(u64::from(from))
            .saturating_add(u64::from(digit));
    }
    if negative {
        value = value.wrapping_neg();
    }
    let signed = i64::from_ne_bytes(value.to_ne_bytes());
    let (sign, mut rest) = match to < 0 && signed < 0 {
        true => ("-", signed.unsigned_abs()),
        false => ("", value),
    };
    let mut reversed = Vec::new();
    loop {
        let digit = u32::try_from(rest % u64::from(unsigned_base)).ok()?;
        reversed.push(char::from_digit(digit, unsigned_base)?.to_ascii_uppercase());
        rest /= u64::from(unsigned_base);
        if rest == 0 {
            break;
        }
    }
    Some(sign.chars().chain(reversed.into_iter().rev()).collect())
}
