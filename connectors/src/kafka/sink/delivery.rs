//! What became of the rows that were sent.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use levada_engine::{EngineError, Result};
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Message};
use rdkafka::producer::ProducerContext;
use tokio::sync::Notify;

use super::super::client::{Monitor, explain};
use super::WAIT;

/// Hears from the producer what was delivered and what was not.
#[derive(Debug)]
pub(super) struct Delivery {
    pub monitor: Monitor,
    in_flight: AtomicU64,
    failure: Mutex<Option<EngineError>>,
    acknowledged: Notify,
}

impl Delivery {
    pub(super) fn new(monitor: Monitor) -> Self {
        Self {
            monitor,
            in_flight: AtomicU64::new(0),
            failure: Mutex::new(None),
            acknowledged: Notify::new(),
        }
    }

    /// A row is about to be sent.
    pub(super) fn begin(&self) {
        self.in_flight.fetch_add(1, Ordering::AcqRel);
    }

    /// It was not sent after all.
    pub(super) fn give_up(&self) {
        self.in_flight.fetch_sub(1, Ordering::AcqRel);
    }

    /// Waits until the brokers have acknowledged all rows; an error if one of them was not delivered.
    ///
    /// Nothing is flushed: what librdkafka waits with is on its way after `linger.ms`, a few
    /// milliseconds, but while it flushes its threads spin, and keep a broker beside them from answering.
    pub(super) async fn delivered(&self) -> Result<()> {
        while self.in_flight.load(Ordering::Acquire) > 0 {
            self.check()?;
            self.room(WAIT).await;
        }
        self.check()
    }

    /// The first failure.
    pub(super) fn check(&self) -> Result<()> {
        match self.lock().clone() {
            Some(failure) => Err(failure),
            None => Ok(()),
        }
    }

    /// Waits until something was delivered, but not longer than `at_most`.
    pub(super) async fn room(&self, at_most: Duration) {
        let _ = tokio::time::timeout(at_most, self.acknowledged.notified()).await;
    }

    fn lock(&self) -> MutexGuard<'_, Option<EngineError>> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for Delivery {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.monitor.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::Fatal) {
            let failure = EngineError::connector(format!("the Kafka producer failed: {reason}"));
            self.lock().get_or_insert(failure);
        }
        self.monitor.error(error, reason);
    }
}

impl ProducerContext for Delivery {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if result.is_ok() {
            self.monitor.recovered();
        }
        if let Err((error, message)) = result {
            let failure = EngineError::connector(format!(
                "topic '{}', partition {}: a row was not delivered: {}",
                message.topic(),
                message.partition(),
                explain(error)
            ));
            self.lock().get_or_insert(failure);
        }
        self.in_flight.fetch_sub(1, Ordering::AcqRel);
        self.acknowledged.notify_one();
    }
}
