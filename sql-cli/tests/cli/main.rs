//! The binary as people and programs meet it: real processes, their output and exit status.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cluster;
mod process;
mod script;
mod shell;
mod signals;
