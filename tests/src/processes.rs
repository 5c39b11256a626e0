//! A coordinator and workers as processes, which can be killed and come back, or die by themselves at
//! a failpoint.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rand::Rng;
use rand::rngs::SmallRng;

use crate::process::{self, Child};

/// How long processes may take to start.
const START: Duration = Duration::from_secs(30);
/// How often the log is searched for subtasks that do not end.
const SEARCH: Duration = Duration::from_secs(2);
/// Of a long log, so many lines at its end are shown.
const LOG_LINES: usize = 120;

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

/// What `LEVADA_FAILPOINT` says to the processes of a cluster.
#[derive(Debug, Clone, Default)]
pub struct Failing {
    /// To those that start first.
    pub first: Vec<(Victim, String)>,
    /// To those that replace these.
    pub then: Vec<(Victim, String)>,
    /// To all. Without, to all what the variable says to the test.
    pub always: Option<String>,
}

impl Failing {
    /// What a process is told that so many have been before.
    fn of(&self, victim: Victim, before: usize) -> String {
        let own = match before {
            0 => &self.first,
            1 => &self.then,
            _ => &Vec::new(),
        };
        let always = match &self.always {
            Some(always) => always.clone(),
            None => std::env::var("LEVADA_FAILPOINT").unwrap_or_default(),
        };
        let own = own.iter().filter(|(who, _)| *who == victim);
        let all = own.map(|(_, point)| point.clone());
        all.chain(Some(always)).collect::<Vec<_>>().join(",")
    }
}

/// A process and how many were before it in its place.
#[derive(Debug)]
struct Place {
    child: Child,
    before: usize,
    failpoint: String,
}

/// The processes of a cluster.
#[derive(Debug)]
pub struct Processes {
    address: String,
    dir: String,
    slots: String,
    log: PathBuf,
    failing: Failing,
    variables: Vec<(String, String)>,
    coordinator: Option<Place>,
    workers: Vec<Place>,
    /// Who died at which failpoint.
    fallen: Vec<(Victim, String)>,
    /// When the log was last searched for subtasks that do not end; `None` once one was found.
    searched: Option<Instant>,
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
        Self::launch_all(folder, workers, slots, Failing::default(), variables)
    }

    /// The same with processes that are to fail.
    pub fn start_failing(folder: &Path, workers: usize, slots: u32, failing: Failing) -> Self {
        Self::launch_all(folder, workers, slots, failing, &[])
    }

    fn launch_all(
        folder: &Path,
        workers: usize,
        slots: u32,
        failing: Failing,
        variables: &[(String, String)],
    ) -> Self {
        std::fs::create_dir_all(folder).expect("a folder");
        let mut cluster = Processes {
            address: format!("127.0.0.1:{}", process::free_port()),
            dir: folder.join("coordinator").display().to_string(),
            variables: variables.to_vec(),
            slots: slots.to_string(),
            log: folder.join("processes.log"),
            failing,
            coordinator: None,
            workers: Vec::new(),
            fallen: Vec::new(),
            searched: Some(Instant::now()),
        };
        cluster.coordinator = Some(cluster.launch(Victim::Coordinator, 0));
        for position in 0..workers {
            let started = cluster.launch(Victim::Worker(position), 0);
            cluster.workers.push(started);
        }
        cluster.wait_for("coordinator ready on", 1);
        cluster.wait_for("worker ready on", workers);
        cluster
    }

    fn launch(&self, victim: Victim, before: usize) -> Place {
        let (address, failpoint) = (self.address.as_str(), self.failing.of(victim, before));
        let arguments = match victim {
            Victim::Coordinator => vec!["coordinator", "--bind", address, "--dir", &self.dir],
            Victim::Worker(_) => vec!["worker", "--coordinator", address, "--slots", &self.slots],
        };
        let mut variables = self.variables.clone();
        variables.push(("LEVADA_FAILPOINT".to_string(), failpoint.clone()));
        Place {
            child: Child::start_with(&arguments, &variables, &self.log),
            before,
            failpoint,
        }
    }

    fn place(&mut self, victim: Victim) -> &mut Place {
        match victim {
            Victim::Coordinator => self.coordinator.as_mut().expect("a coordinator"),
            Victim::Worker(position) => &mut self.workers[position],
        }
    }

    fn replace(&mut self, victim: Victim) {
        let before = self.place(victim).before + 1;
        *self.place(victim) = self.launch(victim, before);
    }

    /// Waits until a line has come so many times.
    pub fn wait_for(&self, line: &str, times: usize) {
        let begun = Instant::now();
        while self.log().matches(line).count() < times {
            assert!(begun.elapsed() < START, "no '{line}' in:\n{}", self.tail());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Kills a process and starts another in its place.
    pub fn kill(&mut self, victim: Victim) {
        self.place(victim).child.kill();
        self.replace(victim);
    }

    /// Starts others in the place of processes that have died at their failpoints. One that died
    /// otherwise is a failure.
    pub fn revive(&mut self) {
        let workers = (0..self.workers.len()).map(Victim::Worker);
        for victim in workers.chain([Victim::Coordinator]).collect::<Vec<_>>() {
            if self.place(victim).child.lives() {
                continue;
            }
            let log = self.log();
            let reached = |name: &str, known: usize| {
                let line = format!("failpoint {name} reached");
                log.matches(&line).count() > known
            };
            let names = self.place(victim).failpoint.clone();
            let names = names.split(',').filter_map(|item| item.split(':').next());
            let known = |name: &str| self.fallen.iter().filter(|(_, n)| n == name).count();
            let name = names
                .filter(|n| !n.is_empty())
                .find(|n| reached(n, known(n)));
            match name {
                Some(name) => self.fallen.push((victim, name.to_string())),
                None => panic!("{victim:?} died by itself:\n{}", self.tail()),
            }
            self.replace(victim);
        }
    }

    /// Who died at which failpoint.
    pub fn fallen(&self) -> &[(Victim, String)] {
        &self.fallen
    }

    /// Where clients connect to.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// What the processes have logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The end of that.
    pub fn tail(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
    }

    /// A job goes on without a subtask that does not end, and so does its test; what the thread sits in
    /// is worth knowing all the same.
    fn look_for_stuck(&mut self) {
        if self.searched.is_none_or(|at| at.elapsed() < SEARCH) {
            return;
        }
        self.searched = Some(Instant::now());
        if self.log().contains("the job goes on without it") {
            self.searched = None;
            let name = format!("levada-stuck-{}.txt", std::process::id());
            let path = std::env::temp_dir().join(name);
            let found = format!("{}\n{}", self.tail(), self.threads());
            let _ = std::fs::write(&path, found);
            eprintln!("a subtask has not ended; see {}", path.display());
        }
    }

    /// What the threads of all processes are doing.
    fn threads(&mut self) -> String {
        let places = self.coordinator.iter().chain(&self.workers);
        let threads = places.map(|place| process::threads(place.child.id()));
        threads.collect::<Vec<_>>().join("\n")
    }

    /// The rows of `levada job list`.
    pub fn jobs(&self) -> Vec<serde_json::Value> {
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
                assert!(jobs.status.success(), "{jobs:?}\n{}", self.tail());
                let row =
                    |line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
                return text.lines().map(row).collect();
            }
        }
    }

    /// The first job.
    pub fn job(&self) -> serde_json::Value {
        let jobs = self.jobs();
        let first = jobs.into_iter().next();
        first.unwrap_or_else(|| panic!("there is no job\n{}", self.tail()))
    }

    /// Waits until the first job has this status.
    pub fn wait_for_job(&mut self, status: &str, patience: Duration) {
        let begun = Instant::now();
        loop {
            self.revive();
            let job = self.job();
            if job["status"] == status {
                return;
            }
            let waited = begun.elapsed();
            assert!(waited < patience, "not {status}: {job}\n{}", self.tail());
            std::thread::sleep(Duration::from_millis(10));
        }
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

/// A client that waits for its jobs.
#[derive(Debug)]
pub struct Client {
    child: Child,
    log: PathBuf,
    begun: Instant,
}

impl Client {
    /// Waits so long, or until it has ended; returns whether it still waits for its jobs.
    pub fn lives_after(&mut self, pause: Duration) -> bool {
        let begun = Instant::now();
        while self.child.lives() {
            if begun.elapsed() >= pause {
                return true;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        false
    }

    /// Waits until it has ended; returns whether with success.
    pub fn end(&mut self, patience: Duration, cluster: &mut Processes) -> bool {
        while self.child.lives() {
            cluster.revive();
            cluster.look_for_stuck();
            if self.begun.elapsed() > patience {
                let (said, log, threads) = (self.said(), cluster.tail(), cluster.threads());
                panic!("the job does not end\n{said}\n{log}\n{threads}");
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        cluster.revive();
        self.child.succeeded()
    }

    /// Waits until it has ended with success; returns how long it has taken.
    pub fn finish(mut self, patience: Duration, cluster: &mut Processes) -> Duration {
        let succeeded = self.end(patience, cluster);
        let took = self.begun.elapsed();
        assert!(succeeded, "{}\n{}", self.said(), cluster.tail());
        took
    }

    /// What it has printed.
    pub fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}
