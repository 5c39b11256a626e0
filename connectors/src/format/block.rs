//! Cutting a chunk of a stream into blocks of whole lines.

use crate::format::Input;
use crate::format::fault::Fault;

/// A block stays in the processor's second-level cache between the check of its encoding and its
/// decoding.
const BLOCK_BYTES: usize = 64 * 1024;

/// The next whole lines of `input` from `from` on, with their line ends; `None` if there is none.
///
/// The last line of the last chunk needs no line end.
pub(crate) fn whole_lines<'a>(input: &Input<'a>, from: usize) -> Option<&'a [u8]> {
    let rest = input.bytes.get(from..)?;
    if rest.is_empty() {
        return None;
    }
    if input.last && rest.len() <= BLOCK_BYTES {
        return Some(rest);
    }
    let window = rest.get(..BLOCK_BYTES).unwrap_or(rest);
    let end = match memchr::memrchr(b'\n', window) {
        Some(newline) => newline + 1,
        None => match memchr::memchr(b'\n', rest.get(window.len()..)?) {
            Some(newline) => window.len() + newline + 1,
            None if input.last => rest.len(),
            None => return None,
        },
    };
    rest.get(..end)
}

/// The line that begins at `at`, without its line end, and where the next one begins.
pub(crate) fn line(block: &[u8], at: usize) -> (&[u8], usize) {
    let rest = block.get(at..).unwrap_or_default();
    let (line, next) = match memchr::memchr(b'\n', rest) {
        Some(newline) => (rest.get(..newline).unwrap_or_default(), at + newline + 1),
        None => (rest, block.len()),
    };
    (line.strip_suffix(b"\r").unwrap_or(line), next)
}

/// The length of the byte order mark that a file may begin with.
pub(crate) fn byte_order_mark(bytes: &[u8]) -> usize {
    if bytes.starts_with(b"\xef\xbb\xbf") {
        3
    } else {
        0
    }
}

/// Refuses text that is not UTF-8.
pub(crate) fn check_utf8(bytes: &[u8]) -> Result<(), Fault> {
    if simdutf8::basic::from_utf8(bytes).is_ok() {
        return Ok(());
    }
    let at = std::str::from_utf8(bytes).map_or_else(|error| error.valid_up_to(), |_| 0);
    Err(Fault::syntax(at, "the text is not valid UTF-8"))
}
