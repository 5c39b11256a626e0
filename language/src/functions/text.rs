//! Functions on text.

mod cut;
mod encoding;
mod hashes;
pub(super) mod pieces;
mod printf;
mod urls;

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::common::Result;

use super::scalar::{Call, Param, Spec, Texts, Values, returns};
use Param::{Any, AnyAsText, Bytes, Int, Text};

pub(super) static SPECS: &[Spec] = &[
    Spec::new("split_index", &[Text, Any, Int], returns::text, split_index).unify(split_types),
    Spec::new("split", &[Text, Text], pieces::texts_type, pieces::split),
    Spec::new("count_char", &[Text, Text], returns::bigint, count_char),
    Spec::new("locate", &[Text, Text, Int], returns::int, locate).required(2),
    Spec::new("instr", &[Text, Text], returns::int, instr),
    Spec::new("is_digit", &[AnyAsText], returns::boolean, is_digit),
    Spec::new("is_alpha", &[AnyAsText], returns::boolean, is_alpha),
    Spec::new("is_decimal", &[AnyAsText], returns::boolean, is_decimal),
    Spec::new("url_encode", &[Text], returns::text, urls::url_encode),
    Spec::new("url_decode", &[Text], returns::text, urls::url_decode),
    Spec::new(
        "parse_url",
        &[Text, Text, Text],
        returns::text,
        urls::parse_url,
    )
    .required(2),
    Spec::new("concat", &[AnyAsText], returns::text, concat).rest(AnyAsText),
    Spec::new(
        "substring",
        &[Text, Int, Int],
        returns::text,
        cut::substring,
    )
    .required(2)
    .aliases(&["substr"]),
    Spec::new("left", &[Text, Int], returns::text, cut::left),
    Spec::new("right", &[Text, Int], returns::text, cut::right),
    Spec::new(
        "overlay",
        &[Text, Text, Int, Int],
        returns::text,
        cut::overlay,
    )
    .required(3),
    Spec::new("lpad", &[Text, Int, Text], returns::text, cut::lpad).required(2),
    Spec::new("rpad", &[Text, Int, Text], returns::text, cut::rpad).required(2),
    Spec::new("repeat", &[Text, Int], returns::text, cut::repeat),
    Spec::new("chr", &[Int], returns::text, pieces::chr),
    Spec::new("elt", &[Int, Text], returns::text, pieces::elt).rest(Text),
    Spec::new(
        "startswith",
        &[Bytes, Bytes],
        returns::boolean,
        pieces::starts_with,
    )
    .aliases(&["starts_with"]),
    Spec::new(
        "endswith",
        &[Bytes, Bytes],
        returns::boolean,
        pieces::ends_with,
    )
    .aliases(&["ends_with"]),
    Spec::new("printf", &[Text], returns::text, printf::printf).rest(Any),
    Spec::new("encode", &[Text, Text], returns::bytes, encoding::encode),
    Spec::new("decode", &[Bytes, Text], returns::text, encoding::decode),
    Spec::new("to_base64", &[Bytes], returns::text, encoding::to_base64),
    Spec::new("from_base64", &[Text], returns::text, encoding::from_base64),
    Spec::new("hex", &[Any], returns::text, encoding::hex).unify(encoding::number_or_bytes),
    Spec::new("unhex", &[Text], returns::bytes, encoding::unhex),
    Spec::new("bin", &[Int], returns::text, encoding::bin),
    Spec::new(
        "conv",
        &[AnyAsText, Int, Int],
        returns::text,
        encoding::conv,
    ),
    Spec::new("md5", &[Bytes], returns::text, hashes::md5),
    Spec::new("sha1", &[Bytes], returns::text, hashes::sha1),
    Spec::new("sha224", &[Bytes], returns::text, hashes::sha224),
    Spec::new("sha256", &[Bytes], returns::text, hashes::sha256),
    Spec::new("sha384", &[Bytes], returns::text, hashes::sha384),
    Spec::new("sha512", &[Bytes], returns::text, hashes::sha512),
    Spec::new("sha2", &[Bytes, Int], returns::text, hashes::sha2),
];

/// The types of SPLIT_INDEX's arguments, of which the delimiter may be the code of a character.
fn split_types(given: &[DataType]) -> Option<Vec<DataType>> {
    let text = |given: &DataType| super::scalar::coerce(Text, given);
    let [whole, delimiter, index] = given else {
        return None;
    };
    let delimiter = text(delimiter).or_else(|| super::scalar::coerce(Int, delimiter))?;
    Some(vec![
        text(whole)?,
        delimiter,
        super::scalar::coerce(Int, index)?,
    ])
}

/// SPLIT_INDEX(text, delimiter, index): the part at `index`, from 0; NULL beyond the last.
fn split_index(call: &Call<'_>) -> Result<ArrayRef> {
    if call.arg_type(1)? == DataType::Int64 {
        return split_index_by_code(call);
    }
    let (texts, delimiters, indexes) = (call.texts(0)?, call.texts(1)?, call.ints(2)?);
    call.slice_column(|row| {
        let (Some(text), Some(delimiter), Some(index)) =
            (texts.get(row), delimiters.get(row), indexes.get(row))
        else {
            return Ok(None);
        };
        let Ok(index) = usize::try_from(index) else {
            return Ok(None);
        };
        Ok(part(text, delimiter, index))
    })
}

/// SPLIT_INDEX(text, code, index): the delimiter is the character of that number, 1 to 255.
fn split_index_by_code(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, codes, indexes) = (call.texts(0)?, call.ints(1)?, call.ints(2)?);
    call.slice_column(|row| {
        let (Some(text), Some(code), Some(index)) =
            (texts.get(row), codes.get(row), indexes.get(row))
        else {
            return Ok(None);
        };
        let delimiter = u8::try_from(code).ok().filter(|code| *code > 0);
        let index = usize::try_from(index).ok();
        Ok(delimiter.zip(index).and_then(|(delimiter, index)| {
            let mut room = [0; 4];
            part(text, char::from(delimiter).encode_utf8(&mut room), index)
        }))
    })
}

fn part<'a>(text: &'a str, delimiter: &str, index: usize) -> Option<&'a str> {
    if text.is_empty() {
        return None;
    }
    let mut characters = delimiter.chars();
    match (characters.next(), characters.next()) {
        // An empty delimiter splits at blanks, as in Flink.
        (None, _) => text.split(char::is_whitespace).nth(index),
        // A single character is found by a byte search.
        (Some(single), None) => text.split(single).nth(index),
        _ => text.split(delimiter).nth(index),
    }
}

/// COUNT_CHAR(text, character): how often the first character of the second text occurs.
fn count_char(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, characters) = (call.texts(0)?, call.texts(1)?);
    call.int_column(|row| {
        let (Some(text), Some(character)) = (texts.get(row), characters.get(row)) else {
            return Ok(None);
        };
        let count = match character.chars().next() {
            None => 0,
            Some(c) if c.is_ascii() => text.bytes().filter(|byte| *byte == c as u8).count(),
            Some(c) => text.matches(c).count(),
        };
        Ok(i64::try_from(count).ok())
    })
}

/// LOCATE(part, text [, start]): the position of `part`, from 1, at or after `start`; 0 if none.
fn locate(call: &Call<'_>) -> Result<ArrayRef> {
    let (parts, texts) = (call.texts(0)?, call.texts(1)?);
    let starts = if call.len() > 2 {
        call.ints(2)?
    } else {
        Values::Constant(Some(1))
    };
    positions(call, |row| {
        let start = usize::try_from(starts.get(row)?).unwrap_or(0);
        Some(position(texts.get(row)?, parts.get(row)?, start))
    })
}

/// INSTR(text, part): the position of `part`, from 1; 0 if none.
fn instr(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, parts) = (call.texts(0)?, call.texts(1)?);
    positions(call, |row| {
        Some(position(texts.get(row)?, parts.get(row)?, 1))
    })
}

fn positions(call: &Call<'_>, mut value: impl FnMut(usize) -> Option<usize>) -> Result<ArrayRef> {
    let values: arrow::array::Int32Array = (0..call.rows())
        .map(|row| value(row).and_then(|position| i32::try_from(position).ok()))
        .collect();
    Ok(Arc::new(values))
}

/// Positions count characters from 1.
fn position(text: &str, part: &str, start: usize) -> usize {
    let Some(skipped) = start.checked_sub(1) else {
        return 0;
    };
    let rest = if skipped == 0 {
        text
    } else {
        match text.char_indices().nth(skipped) {
            Some((offset, _)) => text.get(offset..).unwrap_or_default(),
            None => return 0,
        }
    };
    match rest.find(part) {
        Some(offset) => {
            skipped
                + rest
                    .get(..offset)
                    .map_or(0, |before| before.chars().count())
                + 1
        }
        None => 0,
    }
}

fn test(call: &Call<'_>, test: fn(&str) -> bool) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    // As in Flink, NULL is not a number or a word, so the answer is FALSE.
    call.bool_column(|row| Ok(Some(texts.get(row).is_some_and(test))))
}

fn is_digit(call: &Call<'_>) -> Result<ArrayRef> {
    test(call, |text| {
        !text.is_empty() && text.chars().all(|c| c.is_numeric())
    })
}

fn is_alpha(call: &Call<'_>) -> Result<ArrayRef> {
    test(call, |text| {
        !text.is_empty() && text.chars().all(char::is_alphabetic)
    })
}

fn is_decimal(call: &Call<'_>) -> Result<ArrayRef> {
    test(call, |text| {
        let (number, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let digits = number.strip_prefix(['-', '+']).unwrap_or(number);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        !(whole.is_empty() && fraction.is_empty())
            && all_digits(whole)
            && all_digits(fraction)
            && !exponent.is_empty()
            && all_digits(exponent)
    })
}

/// CONCAT: NULL if any part is NULL.
fn concat(call: &Call<'_>) -> Result<ArrayRef> {
    let parts: Vec<Texts<'_>> = (0..call.len())
        .map(|index| call.texts(index))
        .collect::<Result<_>>()?;
    call.written_column(|row, out| {
        Ok(parts.iter().all(|part| {
            let text = part.get(row);
            out.push_str(text.unwrap_or_default());
            text.is_some()
        }))
    })
}
