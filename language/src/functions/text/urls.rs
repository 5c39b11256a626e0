//! Functions on URLs.

use arrow::array::ArrayRef;
use datafusion::common::Result;

use crate::functions::scalar::{Call, Texts, evaluation};

/// URL_ENCODE: as HTML forms do, a blank becomes '+'.
pub(super) fn url_encode(call: &Call<'_>) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    call.text_column(|row| {
        Ok(texts
            .get(row)
            .map(|text| url::form_urlencoded::byte_serialize(text.as_bytes()).collect()))
    })
}

/// URL_DECODE: NULL if the text is not a valid encoding.
pub(super) fn url_decode(call: &Call<'_>) -> Result<ArrayRef> {
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
pub(super) fn parse_url(call: &Call<'_>) -> Result<ArrayRef> {
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
