//! A connection that is made again when it breaks.

use std::sync::Arc;
use std::time::Duration;

use levada_engine::failpoint::Failpoints;
use levada_engine::metrics::SubtaskMetrics;
use levada_engine::time::Clock;
use levada_engine::{EngineError, Result};
use tokio::task::JoinHandle;
use tokio_postgres::{Client, NoTls};

use super::config::Config;
use super::failure::Failure;

/// Before the first repetition; each further one waits longer by as much.
const BACKOFF: Duration = Duration::from_secs(1);
const LONGEST_BACKOFF: Duration = Duration::from_secs(10);
/// How values are written as text, so that keys of positions read the same everywhere.
const SETTINGS: &str = "SET DateStyle = 'ISO'; SET TimeZone = 'UTC'; SET extra_float_digits = 3; \
     SET bytea_output = 'hex'; SET IntervalStyle = 'iso_8601'; SET standard_conforming_strings = on";

/// An open connection.
pub(super) struct Connection {
    pub client: Client,
    driver: JoinHandle<()>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// Opens a connection.
async fn connect(config: &Config) -> Result<Connection, Failure> {
    let opening = config.database.connect(NoTls);
    let opened = tokio::time::timeout(config.connect_timeout, opening).await;
    let (client, connection) = opened.map_err(|_| Failure::TimedOut)??;
    let driver = tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!("the connection to the database ended: {error}");
        }
    });
    let connection = Connection { client, driver };
    connection.client.batch_execute(SETTINGS).await?;
    Ok(connection)
}

/// The connection of one subtask.
pub(super) struct Session {
    pub config: Arc<Config>,
    clock: Arc<dyn Clock>,
    metrics: Arc<SubtaskMetrics>,
    pub failpoints: Failpoints,
    connection: Option<Connection>,
    /// Counts connections: what was made on an earlier one (temporary tables) is gone.
    generation: u64,
    /// Failures in a row.
    failures: u32,
    troubled: bool,
}

impl Session {
    pub(super) fn new(
        config: Arc<Config>,
        clock: Arc<dyn Clock>,
        metrics: Arc<SubtaskMetrics>,
        failpoints: Failpoints,
    ) -> Self {
        Self {
            config,
            clock,
            metrics,
            failpoints,
            connection: None,
            generation: 0,
            failures: 0,
            troubled: false,
        }
    }

    /// The open connection and its number; opens one if there is none.
    pub(super) async fn client(&mut self) -> Result<(&Client, u64), Failure> {
        let broken = self
            .connection
            .as_ref()
            .is_none_or(|c| c.client.is_closed());
        if broken {
            self.connection = None;
            self.connection = Some(connect(&self.config).await?);
            self.generation += 1;
        }
        match &self.connection {
            Some(connection) => Ok((&connection.client, self.generation)),
            None => Err(EngineError::internal("there is no connection").into()),
        }
    }

    /// Closes the connection, and with it what is under way on it.
    pub(super) fn close(&mut self) {
        self.connection = None;
    }

    /// Opens the connection, asking again until the database answers or patience is at its end.
    pub(super) async fn open(&mut self) -> Result<()> {
        let begin = self.clock.now_ms();
        let patience = i64::try_from(self.config.patience.as_millis()).unwrap_or(i64::MAX);
        loop {
            let Err(failure) = self.client().await else {
                self.recovered();
                return Ok(());
            };
            let waited = self.clock.now_ms().saturating_sub(begin);
            if !failure.is_transient() || waited >= patience {
                return Err(self.error(failure, "cannot be reached"));
            }
            self.complain(&failure);
            tokio::time::sleep(BACKOFF).await;
        }
    }

    /// What to make of an attempt: its result, `None` to try again (after a pause), or the error
    /// when trying again does not help or was tried often enough.
    pub(super) async fn verdict<T>(
        &mut self,
        outcome: Result<T, Failure>,
        action: &str,
    ) -> Result<Option<T>> {
        let failure = match outcome {
            Ok(value) => {
                self.failures = 0;
                self.recovered();
                return Ok(Some(value));
            }
            Err(failure) => failure,
        };
        // What was under way is rolled back by the database.
        self.close();
        if !failure.is_transient() || self.failures >= self.config.max_retries {
            self.failures = 0;
            return Err(self.error(failure, action));
        }
        self.failures += 1;
        self.complain(&failure);
        let pause = BACKOFF.saturating_mul(self.failures).min(LONGEST_BACKOFF);
        tokio::time::sleep(pause).await;
        Ok(None)
    }

    /// The error for people.
    pub(super) fn error(&self, failure: Failure, action: &str) -> EngineError {
        let place = format!("table '{}' at {}", self.config.target, self.config.address);
        failure.into_error(&place, action)
    }

    fn complain(&mut self, failure: &Failure) {
        let trouble = format!(
            "table '{}': the database at {} does not serve ({}); trying again",
            self.config.table,
            self.config.address,
            failure.explain()
        );
        tracing::warn!("{trouble}");
        self.metrics.set_trouble(Some(trouble));
        self.troubled = true;
    }

    fn recovered(&mut self) {
        if std::mem::take(&mut self.troubled) {
            self.metrics.set_trouble(None);
        }
    }
}
