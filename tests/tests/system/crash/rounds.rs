//! Rounds: a job each, with what disturbs it.

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use levada_tests::processes::{Client, Failing, Processes, Victim};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::{Outside, PATIENCE, WORKERS};

const SLOTS: u32 = 2;

/// Says something about a round: at once where rounds take hours, else if the test fails.
pub fn say(text: &str) {
    match levada_tests::soak() {
        true => drop(writeln!(std::io::stderr(), "{text}")),
        false => eprintln!("{text}"),
    }
}

/// Runs rounds one after another, each with a seed of its own, and tells at the end which failed.
pub fn run(what: &str, count: usize, mut round: impl FnMut(u64) -> Result<(), String>) {
    let first = levada_tests::seed();
    let mut failed: Vec<u64> = Vec::new();
    for number in 0..count {
        let seed = first + number as u64;
        say(&format!(
            "{what}: round {} of {count}, seed {seed}",
            number + 1
        ));
        let ended = catch_unwind(AssertUnwindSafe(|| round(seed)));
        let wrong = match ended {
            Ok(Ok(())) => continue,
            Ok(Err(wrong)) => wrong,
            Err(_) => "see above".to_string(),
        };
        say(&format!("{what}: seed {seed} FAILED: {wrong}"));
        failed.push(seed);
    }
    let passed = count - failed.len();
    say(&format!(
        "{what}: {passed} of {count} rounds passed, seeds {first} and following"
    ));
    assert!(
        failed.is_empty(),
        "{what}: the rounds with these seeds failed: {failed:?}"
    );
}

/// Who is killed, and after which pause; after the first of them perhaps the service too.
#[derive(Debug, Default)]
pub struct Kills {
    victims: Vec<(Victim, Duration)>,
    service: bool,
}

impl Kills {
    /// One to three within the time that an undisturbed job takes.
    pub fn random(seed: u64, undisturbed: Duration, workers: usize) -> Self {
        let mut chance = SmallRng::seed_from_u64(seed);
        let count = chance.random_range(1..=3);
        let kill = |chance: &mut SmallRng| {
            let part = chance.random_range(0.05..0.9 / f64::from(count));
            let pause = undisturbed.mul_f64(part);
            (Victim::random(chance, workers), pause)
        };
        Kills {
            victims: (0..count).map(|_| kill(&mut chance)).collect(),
            service: chance.random_bool(0.2),
        }
    }
}

/// A finished round.
#[derive(Debug)]
pub struct Found {
    pub took: Duration,
    /// How many were killed before the job had ended.
    pub hits: usize,
    pub fallen: Vec<(Victim, String)>,
}

/// Rounds against one outside.
pub struct Bench<'a> {
    outside: &'a dyn Outside,
    folder: tempfile::TempDir,
}

/// A job under way.
pub struct Round {
    pub name: String,
    pub folder: PathBuf,
    pub script: String,
    pub cluster: Processes,
    /// It is to fail.
    pub broken: bool,
}

impl Drop for Round {
    /// Keeps the log of a round that failed, and nothing else of any.
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.keep_log();
        }
    }
}

impl Round {
    /// Starts the client of the job.
    pub fn client(&self) -> Client {
        self.cluster.client(&self.folder, &self.script)
    }

    /// Ends the round.
    pub fn finish(mut self, client: Client) -> (Self, Duration) {
        let took = client.finish(PATIENCE, &mut self.cluster);
        (self, took)
    }

    /// The same if the coordinator may have died before it answered the submission, so that the client
    /// failed: a job that was written down runs, one that was not is submitted again.
    fn finish_or_submit_again(mut self, mut client: Client) -> (Self, Duration) {
        let begun = std::time::Instant::now();
        let succeeded = client.end(PATIENCE, &mut self.cluster);
        if !succeeded {
            let said = client.said();
            assert!(said.contains("LV-5001"), "{said}\n{}", self.cluster.tail());
            if self.cluster.jobs().is_empty() {
                let client = self.client();
                return self.finish(client);
            }
            self.cluster.wait_for_job("FINISHED", PATIENCE);
        }
        (self, begun.elapsed())
    }

    fn keep_log(&self) {
        let kept = std::env::temp_dir().join(format!("levada-crash-{}.log", self.name));
        let copied = std::fs::copy(self.folder.join("processes.log"), &kept);
        if copied.is_ok() {
            say(&format!(
                "the log of the processes is in {}",
                kept.display()
            ));
        }
    }
}

impl<'a> Bench<'a> {
    pub fn new(outside: &'a dyn Outside) -> Self {
        Bench {
            outside,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// Starts the processes of a round, which may be told to fail.
    pub fn start(&self, name: &str, failing: Failing) -> Round {
        let folder = self.folder.path().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        Round {
            script: self.outside.begin(name, &folder),
            cluster: Processes::start_failing(&folder, WORKERS, SLOTS, failing),
            name: format!("{}-{name}", self.outside.name()),
            folder,
            broken: false,
        }
    }

    /// A round from its beginning to its end.
    pub fn round(&self, name: &str, kills: &Kills) -> Result<Found, String> {
        let mut round = self.start(name, Failing::default());
        let mut client = round.client();
        let (mut hits, mut coordinator) = (0, false);
        for (victim, pause) in &kills.victims {
            if !client.lives_after(*pause) {
                break;
            }
            round.cluster.kill(*victim);
            hits += 1;
            coordinator |= *victim == Victim::Coordinator;
            if kills.service && hits == 1 {
                self.outside.restart();
            }
        }
        let (round, took) = match coordinator {
            true => round.finish_or_submit_again(client),
            false => round.finish(client),
        };
        let found = self.check(name, round, took)?;
        Ok(Found { hits, ..found })
    }

    /// Looks at what a round has written.
    pub fn check(&self, name: &str, round: Round, took: Duration) -> Result<Found, String> {
        let jobs = round.cluster.jobs();
        assert_eq!(jobs.len(), 1, "{jobs:?}");
        assert_eq!(jobs[0]["status"], "FINISHED", "{jobs:?}");
        let found = Found {
            took,
            hits: 0,
            fallen: round.cluster.fallen().to_vec(),
        };
        let folder: &Path = &round.folder;
        let checked = self.outside.check(name, folder);
        if checked.is_err() && !round.broken {
            round.keep_log();
        }
        self.outside.end(name);
        let _ = std::fs::remove_dir_all(folder);
        checked.map(|()| found)
    }
}
