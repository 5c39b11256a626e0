//! Levada as a whole: SQL in, rows out. One binary, because each links everything.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bad_input;
mod crash;
mod golden;
mod kafka;
mod nexmark;
mod slow_sink;
