//! A coordinator and workers as processes, which can be killed and come back.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rand::Rng;
use rand::rngs::SmallRng;

use crate::process::{self, Child};

/// How long processes may take to start.
const START: Duration = Duration::from_secs(30);

/// Who dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Victim {
    /// The worker at this position.
    Worker(usize),
    /// The coordinator.
    Coordinator,
}

impl Victim {
    /// One of the processes of a cluster with so many workers.
    pub fn random(chance: &mut SmallRng, workers: usize) -> Self {
        match chance.random_range(0..=workers) {
            0 => Victim::Coordinator,
            worker => Victim::Worker(worker - 1),
        }
    }
}

/// The processes of a cluster.
#[derive(Debug)]
pub struct Processes {
    address: String,
    dir: String,
    slots: String,
    log: PathBuf,
    variables: Vec<(String, String)>,
    coordinator: Child,
    workers: Vec<Child>,
}

impl Processes {
    /// Starts a coordinator and workers, with their directory and log in `folder`.
    pub fn start(folder: &Path, workers: usize, slots: u32) -> Self {
        Self::start_with(folder, workers, slots, &[])
    }

    /// The same with these variables in the environment of each.
    pub fn start_with(
        folder: &Path,
        workers: usize,
        slots: u32,
        variables: &[(String, String)],
    ) -> Self {
        std::fs::create_dir_all(folder).expect("a folder");
        let log = folder.join("processes.log");
        let address = format!("127.0.0.1:{}", process::free_port());
        let dir = folder.join("coordinator").display().to_string();
        let mut cluster = Processes {
            coordinator: coordinator(&address, &dir, variables, &log),
            workers: Vec::new(),
            variables: variables.to_vec(),
            slots: slots.to_string(),
            address,
            dir,
            log,
        };
        for _ in 0..workers {
            let started = cluster.worker();
            cluster.workers.push(started);
        }
        cluster.wait_for("coordinator ready on", 1);
        cluster.wait_for("worker ready on", workers);
        cluster
    }

    fn worker(&self) -> Child {
        let arguments = [
            "worker",
            "--coordinator",
            &self.address,
            "--slots",
            &self.slots,
        ];
        Child::start_with(&arguments, &self.variables, &self.log)
    }

    /// Waits until a line has come so many times.
    fn wait_for(&self, line: &str, times: usize) {
        let begun = Instant::now();
        while self.log().matches(line).count() < times {
            assert!(begun.elapsed() < START, "no '{line}' in:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Kills a process and starts another in its place.
    pub fn kill(&mut self, victim: Victim) {
        match victim {
            Victim::Worker(position) => {
                self.workers[position].kill();
                self.workers[position] = self.worker();
            }
            Victim::Coordinator => {
                self.coordinator.kill();
                self.coordinator =
                    coordinator(&self.address, &self.dir, &self.variables, &self.log);
            }
        }
    }

    /// Where clients connect to.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// What the processes have logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The first job's row of `levada job list`.
    pub fn job(&self) -> serde_json::Value {
        let list = [
            "job",
            "list",
            "--connect",
            &self.address,
            "--output",
            "json",
        ];
        let begun = Instant::now();
        loop {
            let jobs = process::run(&list);
            let text = String::from_utf8_lossy(&jobs.stdout).into_owned();
            // A coordinator that was killed just now may not listen yet.
            if jobs.status.success() || begun.elapsed() > START {
                let first = text.lines().next().unwrap_or_default();
                return serde_json::from_str(first).unwrap_or_else(|e| panic!("{e}: {jobs:?}"));
            }
        }
    }

    /// How often the job was restarted by this coordinator.
    pub fn restarts(&self) -> u32 {
        let job = self.job();
        let restarts = job["restarts"].as_str().and_then(|text| text.parse().ok());
        restarts.unwrap_or_else(|| panic!("{job}"))
    }

    /// Starts a client that runs a script, and waits for its jobs.
    pub fn client(&self, folder: &Path, script: &str) -> Client {
        let path = folder.join("job.sql");
        std::fs::write(&path, script).expect("a script");
        let log = folder.join("client.log");
        let path = path.display().to_string();
        let child = Child::start(&["sql", "--connect", &self.address, "-f", &path], &log);
        Client {
            child,
            log,
            begun: Instant::now(),
        }
    }
}

fn coordinator(address: &str, dir: &str, variables: &[(String, String)], log: &Path) -> Child {
    let arguments = ["coordinator", "--bind", address, "--dir", dir];
    Child::start_with(&arguments, variables, log)
}

/// A client that waits for its jobs.
#[derive(Debug)]
pub struct Client {
    child: Child,
    log: PathBuf,
    begun: Instant,
}

impl Client {
    /// Waits until it has ended with success; returns how long it has taken.
    pub fn finish(mut self, patience: Duration, cluster: &Processes) -> Duration {
        let said = || std::fs::read_to_string(&self.log).unwrap_or_default();
        while self.child.lives() {
            if self.begun.elapsed() > patience {
                panic!("the job does not end\n{}\n{}", said(), cluster.log());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let took = self.begun.elapsed();
        let succeeded = self.child.succeeded();
        assert!(succeeded, "{}\n{}", said(), cluster.log());
        took
    }
}
