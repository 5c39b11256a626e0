//! What the errors of transactions mean.

use std::time::Duration;

use levada_engine::EngineError;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::kafka::client::explain;
use crate::kafka::offsets::Failure;
use crate::kafka::properties::TRANSACTION_TIMEOUT;

/// Sorts an error by whether the same call may be repeated.
pub(super) fn sort(error: KafkaError, id: &str) -> Failure {
    let KafkaError::Transaction(fault) = &error else {
        return Failure::Broker(error);
    };
    if fault.is_retriable() && !fault.is_fatal() && !fault.txn_requires_abort() {
        return Failure::Broker(error);
    }
    let code = fault.code();
    let refused = format!(
        "the transaction of '{id}' failed: {} ({})",
        fault.string(),
        explain(&error)
    );
    Failure::Fatal(match code {
        code if is_fenced(code) => taken_over(id),
        RDKafkaErrorCode::TransactionalIdAuthorizationFailed => EngineError::config(format!(
            "this user may not write with the transactional id '{id}'"
        ))
        .with_hint("allow it to write to transactional ids that begin with 'sink.transactional-id-prefix'"),
        RDKafkaErrorCode::GroupAuthorizationFailed => EngineError::config(format!(
            "this user may not commit offsets of the consumer groups that begin with '{id}'"
        ))
        .with_hint("allow it to read groups that begin with 'sink.transactional-id-prefix': they note which epoch is written"),
        RDKafkaErrorCode::InvalidTransactionTimeout => EngineError::config(format!(
            "the broker refuses the setting '{TRANSACTION_TIMEOUT}': it is longer than the broker's transaction.max.timeout.ms"
        ))
        .with_hint(format!("set 'properties.{TRANSACTION_TIMEOUT}' to a shorter time")),
        _ => EngineError::connector(refused),
    })
}

/// Whether a newer producer has the same transactional id, or the broker gave the transaction up.
pub(super) fn is_fenced(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::Fenced
            | RDKafkaErrorCode::ProducerFenced
            | RDKafkaErrorCode::InvalidProducerEpoch
    )
}

/// Somebody else writes with the same id. If it was a run of this job that had been given up,
/// starting again helps.
pub(super) fn taken_over(id: &str) -> EngineError {
    EngineError::connector(format!(
        "the transactional id '{id}' was taken over by another writer: another job, or another run of this one, has the same 'sink.transactional-id-prefix'"
    ))
    .with_hint("give each job a prefix of its own, and run each job once")
}

/// The broker gave up a transaction that was open for too long.
pub(super) fn too_slow(id: &str, timeout: Duration) -> EngineError {
    EngineError::connector(format!(
        "the transaction of '{id}' was not complete after {} ms, and the broker gave it up",
        timeout.as_millis()
    ))
    .with_hint(format!(
        "raise 'properties.{TRANSACTION_TIMEOUT}', or take checkpoints more often, so that less is written at a time"
    ))
}
