//! Escapes in JSON strings.

use crate::format::fault::Fault;

/// Checks the form of the escape whose backslash stands at `at` and returns where it ends.
pub(super) fn check(bytes: &[u8], at: usize) -> Result<usize, Fault> {
    match bytes.get(at + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
        Some(b'u') if unit(bytes, at).is_some() => Ok(at + 6),
        Some(b'u') => Err(Fault::syntax(
            at,
            "'\\u' is not followed by four hexadecimal digits",
        )),
        _ => Err(Fault::syntax(
            at,
            "a backslash does not begin an escape that JSON knows",
        )),
    }
}

/// The UTF-16 unit of the escape `\uXXXX` at `at`.
fn unit(bytes: &[u8], at: usize) -> Option<u32> {
    let [b'\\', b'u', digits @ ..] = bytes.get(at..at + 6)? else {
        return None;
    };
    digits.iter().try_fold(0, |value, digit| {
        let digit = (*digit as char).to_digit(16)?;
        Some(value * 16 + digit)
    })
}

/// Appends the text that `raw` (a string's inside, whose escapes have been checked) stands for.
///
/// `at` is where `raw` begins, for errors. Half a surrogate pair is not text and refused.
pub(super) fn unescape(raw: &[u8], at: usize, out: &mut Vec<u8>) -> Result<(), Fault> {
    let mut rest = 0;
    while let Some(plain) = raw.get(rest..).and_then(|tail| memchr::memchr(b'\\', tail)) {
        let backslash = rest + plain;
        out.extend_from_slice(raw.get(rest..backslash).unwrap_or_default());
        rest = backslash + 2;
        match raw.get(backslash + 1) {
            Some(b'b') => out.push(0x08),
            Some(b'f') => out.push(0x0c),
            Some(b'n') => out.push(b'\n'),
            Some(b'r') => out.push(b'\r'),
            Some(b't') => out.push(b'\t'),
            Some(b'u') => {
                let (character, end) = character(raw, backslash).ok_or_else(|| {
                    Fault::value(at + backslash, "an escape holds half a surrogate pair")
                })?;
                out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                rest = end;
            }
            Some(other) => out.push(*other),
            None => {
                return Err(Fault::syntax(
                    at + backslash,
                    "a string ends within an escape",
                ));
            }
        }
    }
    out.extend_from_slice(raw.get(rest..).unwrap_or_default());
    Ok(())
}

/// The character of the escape at `at`, or of the pair of escapes there, and where they end.
fn character(raw: &[u8], at: usize) -> Option<(char, usize)> {
    let first = unit(raw, at)?;
    if let 0xd800..0xdc00 = first {
        let second = unit(raw, at + 6).filter(|unit| (0xdc00..0xe000).contains(unit))?;
        let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        return Some((char::from_u32(code)?, at + 12));
    }
    Some((char::from_u32(first)?, at + 6))
}
