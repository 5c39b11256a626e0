//! What the database says when it refuses, and whether asking again helps.

use levada_engine::{EngineError, ErrorKind};
use tokio_postgres::error::{DbError, SqlState};

/// Why something did not work.
#[derive(Debug)]
pub(super) enum Failure {
    /// The database, or the way to it.
    Database(tokio_postgres::Error),
    /// It did not answer in time.
    TimedOut,
    /// Trying again does not help.
    Fatal(EngineError),
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        Failure::Database(error)
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        Failure::Fatal(error)
    }
}

impl Failure {
    /// Whether the same may work a moment later.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Failure::Fatal(_) => false,
            Failure::TimedOut => true,
            Failure::Database(error) => match error.code() {
                Some(state) => is_transient(state),
                // Not the database's words: the connection is gone, or could not be made.
                None => error.is_closed() || is_io(error),
            },
        }
    }

    /// In the words of the database.
    pub(super) fn explain(&self) -> String {
        match self {
            Failure::Fatal(error) => error.message.clone(),
            Failure::TimedOut => "no answer in time".to_string(),
            Failure::Database(error) => match error.as_db_error() {
                Some(error) => format!("{} (SQLSTATE {})", error.message(), error.code().code()),
                None if error.is_closed() => "the connection is closed".to_string(),
                None => match std::error::Error::source(error) {
                    Some(cause) => cause.to_string(),
                    None => error.to_string(),
                },
            },
        }
    }

    /// The error for people. `action` says what was being done, as in "cannot be written".
    pub(super) fn into_error(self, place: &str, action: &str) -> EngineError {
        let reason = self.explain();
        let message = format!("{place} {action}: {reason}");
        let error = match self {
            Failure::Fatal(error) => return error.at(place),
            Failure::TimedOut => return EngineError::connector(message),
            Failure::Database(error) => error,
        };
        let Some(refusal) = error.as_db_error() else {
            return match error.is_closed() || is_io(&error) {
                true => EngineError::connector(message),
                // A password that is asked for and not given, for instance.
                false => EngineError::config(message)
                    .with_hint("check the options 'url', 'username' and 'password'"),
            };
        };
        let message = match column_of(refusal) {
            Some(column) if !reason.contains(&format!("\"{column}\"")) => {
                format!("{place}, column '{column}', {action}: {reason}")
            }
            _ => message,
        };
        let mut error = EngineError::new(kind(refusal.code()), message);
        let circumstances = [refusal.detail(), refusal.where_()];
        let circumstances: Vec<&str> = circumstances.into_iter().flatten().collect();
        if !circumstances.is_empty() {
            error = error.with_detail(circumstances.join("; "));
        }
        match hint(refusal) {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }
}

fn is_io(error: &tokio_postgres::Error) -> bool {
    std::error::Error::source(error).is_some_and(|cause| cause.is::<std::io::Error>())
}

/// The column that the refusal is about, as far as the database says it.
fn column_of(refusal: &DbError) -> Option<String> {
    if let Some(column) = refusal.column() {
        return Some(column.to_string());
    }
    // COPY says: "COPY t, line 3, column v".
    let place = refusal.where_()?;
    let (_, rest) = place.split_once(", column ")?;
    let end = rest.find([':', ',', '\n']).unwrap_or(rest.len());
    rest.get(..end).map(str::to_string)
}

/// States that pass: the server starts or stops, is full for the moment, or had to choose whom to
/// let wait.
fn is_transient(state: &SqlState) -> bool {
    let class = state.code().get(..2).unwrap_or_default();
    matches!(class, "08" | "40" | "53" | "58")
        || [
            &SqlState::ADMIN_SHUTDOWN,
            &SqlState::CRASH_SHUTDOWN,
            &SqlState::CANNOT_CONNECT_NOW,
            &SqlState::LOCK_NOT_AVAILABLE,
            &SqlState::QUERY_CANCELED,
            &SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
        ]
        .contains(&state)
}

fn kind(state: &SqlState) -> ErrorKind {
    let class = state.code().get(..2).unwrap_or_default();
    match class {
        // Values that the table does not take.
        "21" | "22" | "23" => ErrorKind::Data,
        // Who is asked, for what, and as whom.
        "0A" | "28" | "3D" | "3F" | "42" | "44" => ErrorKind::Config,
        "53" => ErrorKind::Resource,
        _ => ErrorKind::Connector,
    }
}

fn hint(refusal: &DbError) -> Option<&'static str> {
    let state = refusal.code();
    let class = state.code().get(..2).unwrap_or_default();
    Some(match class {
        "28" => "check the options 'username' and 'password'",
        "3D" => "create the database, or check the option 'url'",
        _ if *state == SqlState::INSUFFICIENT_PRIVILEGE => {
            "grant the user what it lacks, or check the option 'username'"
        }
        _ if *state == SqlState::UNIQUE_VIOLATION => {
            "declare the PRIMARY KEY … NOT ENFORCED of the table to replace rows"
        }
        _ if *state == SqlState::NOT_NULL_VIOLATION => {
            "filter out the rows with NULL, or let the column be NULL in the database"
        }
        _ if *state == SqlState::STRING_DATA_RIGHT_TRUNCATION => {
            "shorten the values, for instance by CAST AS VARCHAR(n), or widen the column"
        }
        _ if *state == SqlState::TOO_MANY_CONNECTIONS => {
            "lower 'sink.parallelism' or 'scan.parallelism', or raise max_connections"
        }
        _ => return None,
    })
}
