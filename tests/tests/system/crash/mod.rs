//! Jobs whose processes die: whatever is killed at whatever moment, and at every named failpoint, a
//! reader that is not Levada sees each result exactly once.
//!
//! [`Outside`] is where a job writes to, with the reader; [`rounds`] runs and disturbs jobs;
//! `failpoints` has every failpoint strike, and shows that the harness notices a broken commit.
//!
//! Every round has a seed of its own, which is printed: `LEVADA_TEST_SEED=<seed>` with a count of 1
//! repeats it. A round that fails does not end the others.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

mod events;
mod failpoints;
mod files;
mod kafka;
mod postgres;
mod rounds;

use events::Events;
use rounds::{Bench, Kills};

/// How long a round may take.
const PATIENCE: Duration = Duration::from_secs(300);
const WORKERS: usize = 2;
/// How often a job may end before anybody is killed.
const MISSES: u32 = 5;

/// Where a job writes to, and how that is read without Levada.
trait Outside {
    /// For messages.
    fn name(&self) -> &'static str;

    /// Makes room for the results of a round; returns the job's script.
    fn begin(&self, round: &str, folder: &Path) -> String;

    /// What a reader sees that it should not, or does not see.
    fn check(&self, round: &str, folder: &Path) -> Result<(), String>;

    /// Removes the results of a round.
    fn end(&self, round: &str);

    /// Kills the service that is written to and starts it again; `None` if there is none.
    fn restart(&self) -> Option<()>;
}

/// Crash tests measure time, and need what the machine has: one at a time.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn events(small: usize) -> Events {
    Events {
        count: levada_tests::count("LEVADA_CRASH_EVENTS", small, 2_000_000),
    }
}

/// Kills at random moments.
fn whatever_is_killed(outside: &dyn Outside, count: usize) {
    let bench = Bench::new(outside);
    let mut undisturbed = bench.round("undisturbed", &Kills::default()).unwrap().took;
    rounds::run(outside.name(), count, |seed| {
        for attempt in 0..MISSES {
            let kills = Kills::random(seed, undisturbed, WORKERS);
            rounds::say(&format!("  {kills:?}"));
            let found = bench.round(&format!("round-{seed}-{attempt}"), &kills)?;
            rounds::say(&format!("  {:?}, {} killed", found.took, found.hits));
            if found.hits > 0 {
                return Ok(());
            }
            // It ended before anybody was killed, as the machine has less to do now.
            undisturbed = found.took;
        }
        Err("no kill hits the job: there are too few events for this machine".to_string())
    });
}

#[test]
fn files_have_each_row_once_whatever_is_killed() {
    let _turn = turn();
    let files = files::Files::new(events(1_000_000));
    whatever_is_killed(&files, levada_tests::count("LEVADA_FILES_ROUNDS", 10, 50));
}

#[test]
#[ignore = "needs Kafka"]
fn topics_have_each_result_once_whatever_is_killed() {
    let _turn = turn();
    let kafka = kafka::Kafka::new(events(200_000));
    whatever_is_killed(&kafka, levada_tests::count("LEVADA_KAFKA_ROUNDS", 6, 100));
}

#[test]
#[ignore = "needs PostgreSQL"]
fn databases_have_each_row_once_whatever_is_killed() {
    let _turn = turn();
    let postgres = postgres::Postgres::new(events(500_000));
    whatever_is_killed(
        &postgres,
        levada_tests::count("LEVADA_POSTGRES_ROUNDS", 5, 50),
    );
}
