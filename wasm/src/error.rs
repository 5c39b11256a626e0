//! What is wrong with a module or with what it did.

use std::fmt;

use datafusion::error::DataFusionError;

/// A module that cannot be used, or a call that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestError {
    /// What is wrong, in one sentence without the function's name.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// The result type of this crate.
pub(crate) type Result<T, E = GuestError> = std::result::Result<T, E>;

impl GuestError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        GuestError {
            message: message.into(),
            hint: None,
        }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The error of a call of the function `name`.
    pub(crate) fn of_call(self, name: &str) -> DataFusionError {
        let hint = self.hint.map(|hint| format!(" ({hint})"));
        let hint = hint.unwrap_or_default();
        DataFusionError::Execution(format!("function {name} failed: {}{hint}", self.message))
    }
}

impl fmt::Display for GuestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for GuestError {}
