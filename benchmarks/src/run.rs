//! One invocation: make the input, set up the systems, run every query on each, print the table.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::digest::Digest;
use crate::error::{At, Error, Result};
use crate::generate::{Input, Made};
use crate::query::{self, Query};
use crate::report::{self, Line, Outcome};
use crate::system::{Cost, DuckDb, Flink, Levada, Mode, Setup, System};

/// A value, or what a system said instead.
type Said<T> = std::result::Result<T, String>;

/// What to run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Names of queries; `all` for all of them.
    pub queries: Vec<String>,
    /// Names of peers: `flink`, `duckdb`, `batch`, `plain` (Levada without the settings); `none` for
    /// Levada alone.
    pub peers: Vec<String>,
    /// The input to measure with.
    pub input: Input,
    /// The input on which outputs are compared: fewer events, over more event time.
    pub check_input: Input,
    /// The folder with the query files.
    pub suite: PathBuf,
    /// Where downloads and inputs are kept.
    pub cache: PathBuf,
    /// The binary under test.
    pub levada: PathBuf,
    /// Threads or slots of every system.
    pub parallelism: usize,
    /// Timed runs of every query.
    pub runs: usize,
    /// Settings, the same for all systems but `plain`.
    pub settings: Vec<(String, String)>,
    /// What [`Setup::memory`] says.
    pub memory: Option<u64>,
    /// The longest that one process may take.
    pub limit: Duration,
    /// Only compare outputs, measure nothing.
    pub check_only: bool,
}

/// Runs the plan and prints as it goes: progress to standard error, the table to standard output.
/// Returns whether every system did every query and all outputs agree.
///
/// # Errors
/// When the run can't start: unknown query or peer, no binary, no space for the input.
pub fn run(plan: &Plan) -> Result<bool> {
    let queries = queries(plan)?;
    let systems = systems(plan)?;
    let setup = setup(plan, queries.iter().any(Query::reads_files))?;
    let mut lines = Vec::new();
    for query in &queries {
        lines.push(Line {
            query: query.name.clone(),
            outcomes: outcomes(plan, &systems, query, &setup),
        });
    }
    let _ = fs::remove_dir_all(&setup.scratch);
    if plan.check_only {
        println!("{}", checks(&lines));
    } else {
        println!("{}", report::table(&lines, plan.input.events));
    }
    eprint!("{}", report::failures(&lines));
    Ok(lines.iter().all(Line::is_good))
}

fn queries(plan: &Plan) -> Result<Vec<Query>> {
    let names = match plan.queries.as_slice() {
        [all] if all == "all" => query::names(&plan.suite)?,
        named => named.to_vec(),
    };
    names
        .iter()
        .map(|name| Query::load(&plan.suite, name))
        .collect()
}

/// Levada first, then the peers that this machine can run; one that it can't is named and left out.
fn systems(plan: &Plan) -> Result<Vec<Box<dyn System>>> {
    let levada = |mode| Levada::new(plan.levada.clone(), mode);
    let mut systems: Vec<Box<dyn System>> = vec![Box::new(levada(Mode::Streaming)?)];
    let peers = plan.suite.with_file_name("peers");
    for peer in plan.peers.iter().map(String::as_str) {
        match peer {
            "none" => {}
            "batch" => systems.push(Box::new(levada(Mode::Batch)?)),
            "plain" => systems.push(Box::new(levada(Mode::Plain)?)),
            "flink" => match install(&peers, peer) {
                Ok(home) => systems.push(Box::new(Flink::new(home))),
                Err(error) => eprintln!("{error}"),
            },
            "duckdb" => match install(&peers, peer) {
                Ok(home) => {
                    let runner = peers.join("duckdb/duckdb_peer.py");
                    systems.push(Box::new(DuckDb::new(home, runner, &plan.suite)?));
                }
                Err(error) => eprintln!("{error}"),
            },
            other => {
                return Err(Error::Invalid(format!(
                    "no peer {other}; there are flink, duckdb, batch, plain and none"
                )));
            }
        }
    }
    Ok(systems)
}

/// Runs the peer's installation, which is quick when it is there, and returns its folder.
fn install(peers: &Path, peer: &str) -> Result<PathBuf> {
    let script = peers.join("install.sh");
    let output = Command::new(&script)
        .arg(peer)
        .stderr(Stdio::inherit())
        .output()
        .at(&script)?;
    if !output.status.success() {
        return Err(Error::Invalid(format!(
            "{peer} can't be had on this machine (see above); it is left out"
        )));
    }
    let home = String::from_utf8_lossy(&output.stdout);
    Ok(PathBuf::from(home.trim()))
}

fn setup(plan: &Plan, reads_files: bool) -> Result<Setup> {
    let make = |input: &Input| {
        let mut dir = PathBuf::new();
        if reads_files {
            dir = input.dir(&plan.cache);
            if !dir.exists() {
                eprintln!("making {} events in {}", input.events, dir.display());
            }
            input.make(&dir)?;
        }
        let events = input.events;
        Ok(Made { dir, events })
    };
    let scratch = std::env::temp_dir().join(format!("levada-bench.{}", std::process::id()));
    fs::create_dir_all(&scratch).at(&scratch)?;
    Ok(Setup {
        input: match plan.check_only {
            true => Made::default(),
            false => make(&plan.input)?,
        },
        check_input: make(&plan.check_input)?,
        scratch,
        parallelism: plan.parallelism,
        settings: plan.settings.clone(),
        memory: plan.memory,
        limit: plan.limit,
    })
}

/// What comes of a query on all systems. Where runs are processes of their own they take turns, so
/// that a machine that slows down or is busy for a while does so for all of them.
fn outcomes(
    plan: &Plan,
    systems: &[Box<dyn System>],
    query: &Query,
    setup: &Setup,
) -> Vec<Outcome> {
    let rows: Vec<_> = systems
        .iter()
        .map(|system| rows(system.as_ref(), query, setup))
        .collect();
    let mut costs: Vec<Said<Vec<Cost>>> = vec![Ok(Vec::new()); systems.len()];
    let rounds = if plan.check_only { 0 } else { plan.runs.max(1) };
    for round in 0..rounds {
        for (system, costs) in systems.iter().zip(&mut costs) {
            let runs = match (system.takes_turns(), round) {
                (true, _) => 1,
                (false, 0) => rounds,
                (false, _) => continue,
            };
            let Ok(before) = costs else { continue };
            match system.measure(query, setup, runs).map_err(reason) {
                Ok(more) => before.extend(more),
                Err(reason) => *costs = Err(reason),
            }
        }
    }
    let outcome = |((name, rows), costs): ((&'static str, _), Said<Vec<Cost>>)| {
        let cost = costs.map(|costs| Cost::median(&costs));
        if let Ok(Some(cost)) = &cost {
            eprintln!("{} on {name}: {:.2} s", query.name, cost.seconds);
        }
        Outcome {
            system: name,
            cost: match cost {
                Ok(None) if rounds > 0 => Err("it reported no time".to_string()),
                cost => cost.map(Option::unwrap_or_default),
            },
            rows,
        }
    };
    let names = systems.iter().map(|system| system.name());
    let all = names.zip(rows).zip(costs);
    all.map(outcome).collect()
}

/// The digest of a system's rows, where they can be compared.
fn rows(system: &dyn System, query: &Query, setup: &Setup) -> Option<Said<Digest>> {
    let name = system.name();
    let comparable = !query.check_without.iter().any(|s| s == name);
    let rows = comparable.then(|| system.rows(query, setup).map_err(reason));
    match &rows {
        Some(Ok(digest)) => eprintln!("{} on {name}: {digest}", query.name),
        Some(Err(reason)) => eprintln!("{} on {name}: {reason}", query.name),
        None => {}
    }
    rows
}

/// An error's text, without the system's name, which the table gives already.
fn reason(error: Error) -> String {
    match error {
        Error::System { reason, .. } => reason,
        other => other.to_string(),
    }
}

fn checks(lines: &[Line]) -> String {
    let compared: Vec<&Line> = lines.iter().filter(|line| line.is_compared()).collect();
    let good = compared.iter().filter(|line| line.is_good()).count();
    let mut text = format!("{good} of {} queries agree", lines.len());
    if compared.len() < lines.len() {
        let alone = lines.len() - compared.len();
        text.push_str(&format!("; {alone} had nothing to be compared with"));
    }
    text
}
