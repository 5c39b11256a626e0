//! What the tests of the whole system share.
//!
//! ```text
//!   tests/sql/**.sql ──case──▶ Case: files, script, what must come out
//!                                │ run: the same script in many ways (runs)
//!                                ▼
//!        session ──▶ engine in this process, or coordinator and workers over loopback
//!                                │ text: rows as people read them, changelogs applied
//!                                ▼
//!                     compared with what must come out, order-free
//! ```
//!
//! [`case`] reads a case, [`run`] runs its script, [`paced`] slows sources down and makes them
//! fail, [`kept`] keeps what a killed job has committed, [`changes`] are tables that change by key, [`generated`] are
//! cases made up by chance, [`sums`] compares results that are too many to be held, [`cluster`] is where jobs run, [`postgres`] is a
//! database outside, [`tpch`] lets the queries of TPC-H follow tables that change. The tests themselves are in `tests/tests`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod case;
pub mod changes;
pub mod cluster;
pub mod generated;
pub mod kept;
pub mod paced;
pub mod postgres;
pub mod process;
pub mod processes;
pub mod run;
pub mod slow_lookup;
pub mod sums;
pub mod text;
pub mod tpch;

/// The seed of everything random in a test run: `LEVADA_TEST_SEED`, or the time. Tests print it,
/// so that a failed run can be repeated.
pub fn seed() -> u64 {
    static SEED: std::sync::OnceLock<u64> = std::sync::OnceLock::new();
    *SEED.get_or_init(|| {
        let given = std::env::var("LEVADA_TEST_SEED").ok();
        let seed = given.and_then(|text| text.parse().ok()).unwrap_or_else(|| {
            let now = std::time::SystemTime::now();
            let since = now
                .duration_since(std::time::UNIX_EPOCH)
                .unwrap_or_default();
            u64::try_from(since.as_nanos() & 0xFFFF_FFFF).unwrap_or_default()
        });
        eprintln!("seed {seed} (repeat with LEVADA_TEST_SEED={seed})");
        seed
    })
}

/// The seed of tests that are to find what is new in long runs, and what is broken in short ones: these have always the
/// same one, unless `LEVADA_TEST_SEED` says another.
pub fn seed_of_share(share: u64) -> u64 {
    match soak() || std::env::var("LEVADA_TEST_SEED").is_ok() {
        true => seed(),
        false => share,
    }
}

/// Whether long counts run in full (`make soak`).
pub fn soak() -> bool {
    std::env::var("LEVADA_SOAK").is_ok_and(|value| !value.is_empty() && value != "0")
}

/// How often something long is repeated: what the environment variable says, or `full` under
/// `make soak`, or `small`.
pub fn count(variable: &str, small: usize, full: usize) -> usize {
    let given = std::env::var(variable).ok();
    let given = given.map(|text| match text.parse() {
        Ok(count) => count,
        Err(_) => panic!("{variable}={text} is not a number"),
    });
    given.unwrap_or(if soak() { full } else { small })
}

/// The folder of the workspace.
pub fn workspace() -> std::path::PathBuf {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}
