//! The error of a statement: the planner's or the engine's, in one shape for people.

use std::fmt;

use levada_engine::{EngineError, ErrorKind};
use levada_language::{PlanError, PlanErrorKind};

/// The gateway's result type.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a statement failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// The statement itself is wrong; says where in its text.
    Plan(PlanError),
    /// What it started failed.
    Engine(EngineError),
}

impl Error {
    /// A configuration, job, catalog or database that does not exist.
    pub fn unknown_name(message: impl Into<String>) -> Self {
        Error::Plan(PlanError::new(PlanErrorKind::UnknownName, message))
    }

    /// A configuration value that cannot be.
    pub fn invalid_option(message: impl Into<String>) -> Self {
        Error::Plan(PlanError::new(PlanErrorKind::InvalidOption, message))
    }

    /// Something that is understood but not supported; the message is the whole sentence.
    pub fn unsupported(message: impl Into<String>) -> Self {
        Error::Plan(PlanError::new(PlanErrorKind::Unsupported, message))
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        match self {
            Error::Plan(error) => Error::Plan(error.hint(hint)),
            Error::Engine(error) => Error::Engine(error.with_hint(hint)),
        }
    }

    /// Adds the position in the SQL text, unless the error has one or does not stem from the text.
    #[must_use]
    pub fn or_at(self, location: levada_language::Location) -> Self {
        match self {
            Error::Plan(error) => Error::Plan(error.or_at(Some(location))),
            engine => engine,
        }
    }

    /// The stable code, such as `LV-1003`.
    pub fn code(&self) -> &'static str {
        match self {
            Error::Plan(error) => error.code(),
            Error::Engine(error) => error.code(),
        }
    }

    /// The whole error for people. `sql` is the script that positions refer to.
    pub fn render(&self, sql: &str) -> String {
        match self {
            Error::Plan(error) => error.render(sql),
            Error::Engine(error) => render_engine(error),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Plan(error) => error.fmt(f),
            Error::Engine(error) => f.write_str(&render_engine(error)),
        }
    }
}

impl std::error::Error for Error {}

impl From<PlanError> for Error {
    fn from(error: PlanError) -> Self {
        Error::Plan(error)
    }
}

impl From<EngineError> for Error {
    fn from(error: EngineError) -> Self {
        Error::Engine(error)
    }
}

impl From<arrow::error::ArrowError> for Error {
    fn from(error: arrow::error::ArrowError) -> Self {
        Error::Engine(error.into())
    }
}

impl From<datafusion::error::DataFusionError> for Error {
    fn from(error: datafusion::error::DataFusionError) -> Self {
        Error::Engine(error.into())
    }
}

/// The same shape as a planner's error.
fn render_engine(error: &EngineError) -> String {
    let title = title(error.kind);
    let mut text = format!("{} ({title}): {}", error.code(), error.message);
    for (name, part) in [("detail", &error.detail), ("hint", &error.hint)] {
        if let Some(part) = part {
            text.push_str(&format!("\n  {name}: {part}"));
        }
    }
    text
}

fn title(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Config => "configuration",
        ErrorKind::Connector => "external system",
        ErrorKind::Data => "data",
        ErrorKind::State => "state",
        ErrorKind::Checkpoint => "checkpoint",
        ErrorKind::Network => "network",
        ErrorKind::Resource => "resources",
        ErrorKind::Cancelled => "cancelled",
        ErrorKind::Internal => "internal error",
    }
}
