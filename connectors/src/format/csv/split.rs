//! Splitting a row into its fields.

use super::Dialect;
use crate::format::fault::Fault;

/// Where a field stands in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    /// Its bytes, without the quotes around it.
    pub start: usize,
    pub end: usize,
    pub quoted: bool,
    /// Whether it holds quotes written twice or escapes.
    pub escaped: bool,
}

/// What stands at a place of the text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A row, up to this place behind its line end.
    Row(usize),
    /// A blank line or a comment, up to this place behind its line end.
    Nothing(usize),
    /// The text ends within the row; more of it is needed.
    Incomplete,
}

impl Dialect {
    /// Splits the row at `at` into `spans`. `last`: the end of `bytes` ends the row.
    pub(super) fn split(
        &self,
        bytes: &[u8],
        at: usize,
        last: bool,
        spans: &mut Vec<Span>,
    ) -> Result<Line, Fault> {
        spans.clear();
        if let Some(line) = self.no_row(bytes, at, last) {
            return Ok(line);
        }
        let mut start = at;
        loop {
            let quoted = self.quote.is_some() && bytes.get(start).copied() == self.quote;
            let span = if quoted {
                self.quoted(bytes, start)?
            } else {
                self.unquoted(bytes, start, last)
            };
            let Some((span, end)) = span else {
                if last && quoted {
                    return Err(Fault::syntax(start - at, "a quoted field has no end"));
                }
                return Ok(Line::Incomplete);
            };
            match bytes.get(end) {
                None if !last => return Ok(Line::Incomplete),
                None => {
                    spans.push(without_carriage_return(span, bytes));
                    return Ok(Line::Row(end));
                }
                Some(b'\n') => {
                    spans.push(without_carriage_return(span, bytes));
                    return Ok(Line::Row(end + 1));
                }
                Some(b'\r') if quoted => {
                    spans.push(span);
                    match bytes.get(end + 1) {
                        None if last => return Ok(Line::Row(end + 1)),
                        None => return Ok(Line::Incomplete),
                        Some(b'\n') => return Ok(Line::Row(end + 2)),
                        Some(_) => return Err(behind_quote(end - at)),
                    }
                }
                Some(byte) if *byte == self.delimiter => {
                    spans.push(span);
                    start = end + 1;
                }
                Some(_) => return Err(behind_quote(end - at)),
            }
        }
    }

    /// A blank line or a comment at `at`, if there is one.
    fn no_row(&self, bytes: &[u8], at: usize, last: bool) -> Option<Line> {
        match (bytes.get(at), bytes.get(at + 1)) {
            (Some(b'\n'), _) => Some(Line::Nothing(at + 1)),
            (Some(b'\r'), Some(b'\n')) => Some(Line::Nothing(at + 2)),
            (Some(b'\r'), None) if last => Some(Line::Nothing(at + 1)),
            (None, _) => Some(if last {
                Line::Nothing(at)
            } else {
                Line::Incomplete
            }),
            (Some(b'#'), _) if self.comments => Some(
                match memchr::memchr(b'\n', bytes.get(at..).unwrap_or_default()) {
                    Some(newline) => Line::Nothing(at + newline + 1),
                    None if last => Line::Nothing(bytes.len()),
                    None => Line::Incomplete,
                },
            ),
            _ => None,
        }
    }

    /// A field without quotes, and where the delimiter or line end behind it stands.
    fn unquoted(&self, bytes: &[u8], start: usize, last: bool) -> Option<(Span, usize)> {
        let mut at = start;
        let mut escaped = false;
        loop {
            let rest = match bytes.get(at..) {
                Some(rest) => rest,
                // The escape character stands last.
                None if last => &[],
                None => return None,
            };
            let stop = match self.escape {
                None => memchr::memchr2(self.delimiter, b'\n', rest),
                Some(escape) => memchr::memchr3(self.delimiter, b'\n', escape, rest),
            };
            let end = stop.map_or(bytes.len(), |stop| at + stop);
            if self.escape.is_some() && bytes.get(end).copied() == self.escape {
                escaped = true;
                at = end + 2;
                continue;
            }
            return Some((
                Span {
                    start,
                    end,
                    quoted: false,
                    escaped,
                },
                end,
            ));
        }
    }

    /// A field in quotes, and the place behind its closing quote and blanks.
    fn quoted(&self, bytes: &[u8], start: usize) -> Result<Option<(Span, usize)>, Fault> {
        let Some(quote) = self.quote else {
            return Ok(None);
        };
        let mut at = start + 1;
        let mut escaped = false;
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            let Some(stop) = memchr::memchr2(quote, self.escape.unwrap_or(quote), rest) else {
                return Ok(None);
            };
            let stop = at + stop;
            let doubled = bytes.get(stop + 1) == Some(&quote);
            if bytes.get(stop).copied() == self.escape || doubled {
                escaped = true;
                at = stop + 2;
                continue;
            }
            let span = Span {
                start: start + 1,
                end: stop,
                quoted: true,
                escaped,
            };
            let blanks = bytes.get(stop + 1..).unwrap_or_default().iter();
            let blanks = blanks
                .take_while(|b| **b == b' ' && self.delimiter != b' ')
                .count();
            return Ok(Some((span, stop + 1 + blanks)));
        }
    }

    /// Appends the text of an escaped field.
    pub(super) fn unescape(&self, text: &[u8], quoted: bool, out: &mut Vec<u8>) {
        let mut bytes = text.iter().copied();
        while let Some(byte) = bytes.next() {
            if Some(byte) == self.escape {
                match bytes.next() {
                    Some(b'n') => out.push(b'\n'),
                    Some(b'r') => out.push(b'\r'),
                    Some(b't') => out.push(b'\t'),
                    Some(other) => out.push(other),
                    None => out.push(byte),
                }
            } else {
                if quoted && Some(byte) == self.quote {
                    // The second of the pair.
                    bytes.next();
                }
                out.push(byte);
            }
        }
    }
}

/// A line may end with a carriage return before its line end.
fn without_carriage_return(mut span: Span, bytes: &[u8]) -> Span {
    if !span.quoted && span.end > span.start && bytes.get(span.end - 1) == Some(&b'\r') {
        span.end -= 1;
    }
    span
}

#[cold]
fn behind_quote(at: usize) -> Fault {
    Fault::syntax(
        at,
        "expected a delimiter or the end of the line behind a quoted field",
    )
}
