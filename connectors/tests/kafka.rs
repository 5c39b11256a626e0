//! The Kafka connector against a real broker, whose address is LEVADA_TEST_KAFKA.
//!
//! Topics are made, filled and read back by a client that owes nothing to the connector.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "kafka/broker.rs"]
mod broker;
#[path = "kafka/exactly_once.rs"]
mod exactly_once;
#[path = "kafka/reading.rs"]
mod reading;
#[path = "kafka/trouble.rs"]
mod trouble;
#[path = "kafka/upserts.rs"]
mod upserts;
#[path = "kafka/writing.rs"]
mod writing;
