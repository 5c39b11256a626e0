//! One error type for everything that can go wrong while a job runs.
//!
//! An error says what is wrong, what surrounds it and what to do. It is plain data, because it
//! travels from a worker through the coordinator to the person who submitted the job.

use serde::{Deserialize, Serialize};

/// What kind of thing went wrong; decides the code and whether a restart can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ErrorKind {
    /// An option or a combination of options is missing or wrong.
    Config,
    /// An external system refused, vanished or timed out.
    Connector,
    /// A row cannot be decoded or computed (malformed input, overflow, division by zero).
    Data,
    /// Keyed state could not be read or written.
    State,
    /// A checkpoint could not be written, read or restored.
    Checkpoint,
    /// A connection between processes of the cluster failed.
    Network,
    /// Slots, memory, disk or ports ran out.
    Resource,
    /// The job was cancelled.
    Cancelled,
    /// A defect of Levada itself.
    Internal,
}

impl ErrorKind {
    /// The stable code that documentation refers to.
    pub fn code(self) -> &'static str {
        match self {
            ErrorKind::Config => "LV-2001",
            ErrorKind::Connector => "LV-3001",
            ErrorKind::Data => "LV-3002",
            ErrorKind::State => "LV-4001",
            ErrorKind::Checkpoint => "LV-4002",
            ErrorKind::Network => "LV-5001",
            ErrorKind::Resource => "LV-5002",
            ErrorKind::Cancelled => "LV-5003",
            ErrorKind::Internal => "LV-9001",
        }
    }

    /// Whether running the job again from its last checkpoint may succeed.
    pub fn retryable(self) -> bool {
        !matches!(
            self,
            ErrorKind::Config | ErrorKind::Data | ErrorKind::Cancelled | ErrorKind::Internal
        )
    }
}

/// An error with a stable code, a message for people, and a hint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{}", self.render())]
pub struct EngineError {
    /// What kind of error this is.
    pub kind: ErrorKind,
    /// What is wrong and where, in one sentence.
    pub message: String,
    /// Circumstances, for instance the message of the system that refused.
    pub detail: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
}

/// The engine's result type.
pub type Result<T, E = EngineError> = std::result::Result<T, E>;

impl EngineError {
    /// An error of the given kind.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        EngineError {
            kind,
            message: message.into(),
            detail: None,
            hint: None,
        }
    }

    /// Wrong or missing configuration.
    pub fn config(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, message)
    }

    /// An external system failed.
    pub fn connector(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Connector, message)
    }

    /// A row is malformed or cannot be computed.
    pub fn data(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Data, message)
    }

    /// State could not be read or written.
    pub fn state(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::State, message)
    }

    /// A checkpoint could not be written or restored.
    pub fn checkpoint(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Checkpoint, message)
    }

    /// A connection inside the cluster failed.
    pub fn network(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Network, message)
    }

    /// A resource ran out.
    pub fn resource(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Resource, message)
    }

    /// The job was cancelled.
    pub fn cancelled() -> Self {
        Self::new(ErrorKind::Cancelled, "the job was cancelled")
    }

    /// A defect of Levada.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Internal, message)
    }

    /// Adds circumstances.
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Adds what to do about it.
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Puts the place in front of the message, for instance the operator's name.
    pub fn at(mut self, place: &str) -> Self {
        self.message = format!("{place}: {}", self.message);
        self
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        self.kind.code()
    }

    fn render(&self) -> String {
        let mut text = format!("[{}] {}", self.code(), self.message);
        if let Some(detail) = &self.detail {
            text.push_str("\n  detail: ");
            text.push_str(detail);
        }
        if let Some(hint) = &self.hint {
            text.push_str("\n  hint: ");
            text.push_str(hint);
        }
        text
    }
}

impl From<arrow::error::ArrowError> for EngineError {
    fn from(error: arrow::error::ArrowError) -> Self {
        use arrow::error::ArrowError as A;
        match error {
            A::ComputeError(m)
            | A::ParseError(m)
            | A::ArithmeticOverflow(m)
            | A::InvalidArgumentError(m) => Self::data(m),
            A::CastError(m) if m.contains("out of range") => Self::data(format!("overflow: {m}")),
            A::CastError(m) => Self::data(format!("a value cannot be cast: {m}")),
            A::DivideByZero => Self::data("division by zero"),
            other => Self::internal(other.to_string()),
        }
    }
}

impl From<tokio::task::JoinError> for EngineError {
    fn from(error: tokio::task::JoinError) -> Self {
        match error.is_cancelled() {
            true => EngineError::cancelled(),
            false => {
                EngineError::internal("a background task broke down").with_detail(error.to_string())
            }
        }
    }
}

impl From<datafusion::error::DataFusionError> for EngineError {
    fn from(error: datafusion::error::DataFusionError) -> Self {
        use datafusion::error::DataFusionError as D;
        match error {
            D::ArrowError(e, _) => (*e).into(),
            D::Context(context, e) => EngineError::from(*e).with_detail(context),
            D::Execution(m) => Self::data(m),
            D::External(e) => match e.downcast::<EngineError>() {
                Ok(own) => *own,
                Err(e) => Self::data(without_code(&e.to_string())),
            },
            D::ResourcesExhausted(m) => Self::resource(m),
            // What batch mode cannot do, and finds out when it has begun.
            other => match other.find_root() {
                D::NotImplemented(m) => Self::config(format!("this is not supported: {m}")),
                _ => Self::internal(other.strip_backtrace()),
            },
        }
    }
}

/// The message of an error that has a code of its own: an error shows one code.
fn without_code(text: &str) -> &str {
    match text.split_once(": ") {
        Some((code, message)) if code.len() == 7 && code.starts_with("LV-") => message,
        _ => text,
    }
}
