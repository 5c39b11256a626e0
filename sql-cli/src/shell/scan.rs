//! A forgiving look at SQL that is still being typed: which stretch of it is what.

use std::ops::Range;

/// What a stretch of text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A word without quotes.
    Word,
    /// A number.
    Number,
    /// `'text'`, perhaps still open.
    Text,
    /// `` `name` `` or `"name"`, perhaps still open.
    Quoted,
    /// `-- …` or `/* … */`, perhaps still open.
    Comment,
    /// White space.
    Space,
    /// Anything else, one character.
    Other,
}

/// A stretch of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// What it is.
    pub kind: Kind,
    /// Where it is, in bytes.
    pub range: Range<usize>,
}

/// Cuts a text into pieces that cover it without gaps.
pub fn scan(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut start = 0;
    while let Some(first) = text.get(start..).and_then(|rest| rest.chars().next()) {
        let rest = text.get(start..).unwrap_or_default();
        let (kind, length) = piece(first, rest);
        let end = start + length.max(first.len_utf8());
        pieces.push(Piece {
            kind,
            range: start..end,
        });
        start = end;
    }
    pieces
}

fn piece(first: char, rest: &str) -> (Kind, usize) {
    match first {
        '\'' => (Kind::Text, quoted(rest, '\'')),
        '`' | '"' => (Kind::Quoted, quoted(rest, first)),
        _ if rest.starts_with("--") => (Kind::Comment, rest.find('\n').unwrap_or(rest.len())),
        _ if rest.starts_with("/*") => {
            let end = rest.find("*/").map_or(rest.len(), |at| at + 2);
            (Kind::Comment, end)
        }
        c if c.is_whitespace() => (Kind::Space, run(rest, char::is_whitespace)),
        c if c.is_ascii_digit() => (Kind::Number, run(rest, |c| c.is_ascii_digit() || c == '.')),
        c if is_word(c) => (Kind::Word, run(rest, is_word)),
        c => (Kind::Other, c.len_utf8()),
    }
}

/// Whether a character belongs to a word.
pub fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

fn run(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

/// The length of a quoted stretch; a doubled quote does not end it.
fn quoted(text: &str, quote: char) -> usize {
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c == quote {
            match chars.peek() {
                Some((_, next)) if *next == quote => drop(chars.next()),
                _ => return at + c.len_utf8(),
            }
        }
    }
    text.len()
}
