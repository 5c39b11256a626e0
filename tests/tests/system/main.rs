//! Levada as a whole: SQL in, rows out. One binary, because each links everything.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bad_input;
mod checkpoint_format;
mod crash;
mod edited;
mod flat_state;
mod full_disk;
mod generated;
mod golden;
mod inspect;
mod kafka;
mod leftovers;
mod lookups;
mod materialized;
mod modules;
mod nexmark;
mod recovery;
mod s3;
mod slow_sink;
mod sorted;
mod tpch;
mod written_by_key;
