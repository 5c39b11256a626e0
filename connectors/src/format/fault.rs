//! Why a row cannot be decoded, and where in the row.

use std::fmt;

/// A reason to refuse a row or one of its fields.
///
/// Boxed, so that the results on the hot path stay one word wide.
#[derive(Debug)]
pub(crate) struct Fault(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: Kind,
    /// Bytes from the beginning of the row (or of the block, until [`Fault::relative_to`]).
    at: usize,
    /// The names of the columns around the place, innermost first.
    path: Vec<String>,
    message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The text does not follow the format; what comes next in the row cannot be told.
    Syntax,
    /// The text is well-formed, but a value does not suit its column.
    Value,
}

impl Fault {
    /// The text does not follow the format's grammar.
    #[cold]
    pub(crate) fn syntax(at: usize, message: impl Into<String>) -> Self {
        Self::new(Kind::Syntax, at, message.into())
    }

    /// A well-formed value does not suit its column.
    #[cold]
    pub(crate) fn value(at: usize, message: impl Into<String>) -> Self {
        Self::new(Kind::Value, at, message.into())
    }

    fn new(kind: Kind, at: usize, message: String) -> Self {
        Self(Box::new(Inner {
            kind,
            at,
            path: Vec::new(),
            message,
        }))
    }

    /// Whether only one value is at fault, so that the rest of the row can still be read.
    pub(crate) fn is_value(&self) -> bool {
        self.0.kind == Kind::Value
    }

    /// Notes that the place lies inside the column `name`.
    pub(crate) fn within(mut self, name: &str) -> Self {
        self.0.path.push(name.to_string());
        self
    }

    /// Counts the place from `start` on.
    pub(crate) fn relative_to(mut self, start: usize) -> Self {
        self.0.at = self.0.at.saturating_sub(start);
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.0;
        if !inner.path.is_empty() {
            let path: Vec<&str> = inner.path.iter().rev().map(String::as_str).collect();
            write!(f, "column '{}': ", path.join("."))?;
        }
        write!(f, "{} (byte {} of the row)", inner.message, inner.at + 1)
    }
}

/// A value as it stands in the input, shortened for an error message.
pub(crate) fn excerpt(text: &[u8]) -> String {
    const LONGEST: usize = 60;
    let text = String::from_utf8_lossy(text);
    match text.char_indices().nth(LONGEST) {
        None => text.into_owned(),
        Some((cut, _)) => format!("{}…", text.get(..cut).unwrap_or_default()),
    }
}
