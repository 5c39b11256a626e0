//! The jdbc connector against a real PostgreSQL, whose address is LEVADA_TEST_POSTGRES.
//!
//! Tables are made, filled and looked at by a client of their own, in a schema for each test.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "postgres/asking.rs"]
mod asking;
#[path = "postgres/committing.rs"]
mod committing;
#[path = "postgres/reading.rs"]
mod reading;
#[path = "postgres/refusing.rs"]
mod refusing;
#[path = "postgres/server.rs"]
mod server;
#[path = "postgres/trouble.rs"]
mod trouble;
#[path = "postgres/types.rs"]
mod types;
#[path = "postgres/upserting.rs"]
mod upserting;
