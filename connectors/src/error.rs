//! The error that connectors and formats return: a stable code, what is wrong and where, and what to do.

use std::fmt;

/// A failure of a connector or a format, worded for the user who wrote the SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    kind: Kind,
    /// What is wrong and where (option name; topic, partition and offset; file and line).
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// The result type of connectors and formats.
pub type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Config,
    Connector,
    Data,
}

impl Error {
    fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            hint: None,
        }
    }

    /// An option or a combination of options is missing or wrong.
    pub fn config(message: impl Into<String>) -> Self {
        Self::new(Kind::Config, message)
    }

    /// An external system refused, vanished or timed out.
    pub fn connector(message: impl Into<String>) -> Self {
        Self::new(Kind::Connector, message)
    }

    /// A row cannot be decoded or encoded.
    pub fn data(message: impl Into<String>) -> Self {
        Self::new(Kind::Data, message)
    }

    /// Adds what the user can do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Puts `place` (a topic and partition, a file) in front of the message.
    #[must_use]
    pub fn at(mut self, place: &str) -> Self {
        self.message = format!("{place}: {}", self.message);
        self
    }

    /// The stable code, under which the documentation explains the error.
    pub fn code(&self) -> &'static str {
        match self.kind {
            Kind::Config => "LV-2001",
            Kind::Connector => "LV-3001",
            Kind::Data => "LV-3002",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}] {}", self.code(), self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}
