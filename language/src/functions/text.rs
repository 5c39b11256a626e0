//! Functions on text.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringBuilder};
use datafusion::common::Result;

use super::scalar::{Call, Param, Spec, Texts, Values, evaluation, returns};
use Param::{AnyAsText, Int, Text};

pub(super) static SPECS: &[Spec] = &[
    Spec::new(
        "split_index",
        &[Text, Text, Int],
        returns::text,
        split_index,
    ),
    Spec::new("count_char", &[Text, Text], returns::bigint, count_char),
    Spec::new("locate", &[Text, Text, Int], returns::int, locate).required(2),
    Spec::new("instr", &[Text, Text], returns::int, instr),
    Spec::new("is_digit", &[Text], returns::boolean, is_digit),
    Spec::new("is_alpha", &[Text], returns::boolean, is_alpha),
    Spec::new("is_decimal", &[Text], returns::boolean, is_decimal),
    Spec::new("url_encode", &[Text], returns::text, url_encode),
    Spec::new("url_decode", &[Text], returns::text, url_decode),
    Spec::new("parse_url", &[Text, Text, Text], returns::text, parse_url).required(2),
    Spec::new("concat", &[AnyAsText], returns::text, concat).rest(AnyAsText),
];

/// SPLIT_INDEX(text, delimiter, index): the part at `index`, from 0; NULL beyond the last.
fn split_index(call: &Call<'_>) -> Result<ArrayRef> {
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
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        !(whole.is_empty() && fraction.is_empty()) && all_digits(whole) && all_digits(fraction)
    })
}

/// URL_ENCODE: as HTML forms do, a blank becomes '+'.
fn url_encode(call: &Call<'_>) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    call.text_column(|row| {
        Ok(texts
            .get(row)
            .map(|text| url::form_urlencoded::byte_serialize(text.as_bytes()).collect()))
    })
}

/// URL_DECODE: NULL if the text is not a valid encoding.
fn url_decode(call: &Call<'_>) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    call.text_column(|row| Ok(texts.get(row).and_then(decode)))
}

fn decode(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let high = char::from(bytes.next()?).to_digit(16)?;
                let low = char::from(bytes.next()?).to_digit(16)?;
                u8::try_from(high * 16 + low).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(decoded).ok()
}

/// PARSE_URL(url, part [, key]): HOST, PATH, QUERY, REF, PROTOCOL, FILE, AUTHORITY or USERINFO;
/// with QUERY and a key, the value of that key.
fn parse_url(call: &Call<'_>) -> Result<ArrayRef> {
    let (urls, parts) = (call.texts(0)?, call.texts(1)?);
    let keys: Option<Texts<'_>> = if call.len() > 2 {
        Some(call.texts(2)?)
    } else {
        None
    };
    call.text_column(|row| {
        let (Some(url), Some(part)) = (urls.get(row), parts.get(row)) else {
            return Ok(None);
        };
        match &keys {
            None => url_part(url, part),
            Some(keys) => match keys.get(row) {
                Some(key) if part == "QUERY" => {
                    Ok(url_part(url, part)?.and_then(|q| query_value(&q, key)))
                }
                _ => Ok(None),
            },
        }
    })
}

/// The parts of `scheme://user@host:port/path?query#ref`, as written.
fn url_part(url: &str, part: &str) -> Result<Option<String>> {
    let Some((protocol, rest)) = url.split_once("://") else {
        return Ok(None);
    };
    let (rest, reference) = split(rest, '#');
    let (rest, query) = split(rest, '?');
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let (user, host_port) = match authority.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, authority),
    };
    // A port follows the last colon that is not inside the brackets of an IPv6 address.
    let host = match host_port.rfind(':') {
        Some(at) if !host_port.get(at..).is_some_and(|tail| tail.contains(']')) => {
            host_port.get(..at).unwrap_or(host_port)
        }
        _ => host_port,
    };
    Ok(match part {
        "HOST" => Some(host.to_string()),
        "PATH" => Some(path.to_string()),
        "QUERY" => query.map(str::to_string),
        "REF" => reference.map(str::to_string),
        "PROTOCOL" => Some(protocol.to_string()),
        "FILE" => Some(match query {
            Some(query) => format!("{path}?{query}"),
            None => path.to_string(),
        }),
        "AUTHORITY" => Some(authority.to_string()),
        "USERINFO" => user.map(str::to_string),
        other => {
            return Err(evaluation(format!(
                "PARSE_URL has no part '{other}'; it is one of HOST, PATH, QUERY, REF, PROTOCOL, \
                 FILE, AUTHORITY, USERINFO"
            )));
        }
    })
}

fn split(text: &str, separator: char) -> (&str, Option<&str>) {
    match text.split_once(separator) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

fn query_value(query: &str, key: &str) -> Option<String> {
    query
        .split('&')
        .find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='))
        .map(str::to_string)
}

/// CONCAT: NULL if any part is NULL.
fn concat(call: &Call<'_>) -> Result<ArrayRef> {
    let parts: Vec<Texts<'_>> = (0..call.len())
        .map(|index| call.texts(index))
        .collect::<Result<_>>()?;
    let mut builder = StringBuilder::with_capacity(call.rows(), call.rows() * 16);
    let mut value = String::new();
    for row in 0..call.rows() {
        value.clear();
        let complete = parts.iter().all(|part| match part.get(row) {
            Some(text) => {
                value.push_str(text);
                true
            }
            None => false,
        });
        if complete {
            builder.append_value(&value);
        } else {
            builder.append_null();
        }
    }
    Ok(Arc::new(builder.finish()))
}
