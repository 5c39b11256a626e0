//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use levada_engine::memory::Memory;

/// With less memory a worker would do nothing but move state to disk and back.
const SMALLEST_MEMORY: u64 = 16 << 20;

/// The coordinator's address unless told otherwise.
pub const COORDINATOR: &str = "127.0.0.1:7420";

/// Levada: continuous SQL over streams, files and databases.
#[derive(Debug, Parser)]
#[command(name = "levada", version, arg_required_else_help = true)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,

    /// How log lines look.
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Human)]
    pub log_format: LogFormat,

    /// What is logged: error, warn, info, debug, trace, or a filter such as
    /// `info,levada_engine=debug`.
    #[arg(long, global = true, value_name = "LEVEL")]
    pub log_level: Option<String>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run SQL: a script, a statement, standard input, or an interactive shell.
    Sql(SqlArguments),
    /// Run a coordinator, which accepts jobs and lets workers run them.
    Coordinator(CoordinatorArguments),
    /// Run a worker, which offers slots to a coordinator.
    Worker(WorkerArguments),
    /// Run a coordinator and workers on this machine, until told to stop.
    Cluster(ClusterArguments),
    /// List and stop the jobs of a coordinator, and make savepoints of them.
    Job(JobArguments),
    /// Look into checkpoints and savepoints.
    State(StateArguments),
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// A table for people.
    Table,
    /// RFC 4180 with a header; NULL is empty.
    Csv,
    /// One object a line; NULLs written out.
    Json,
    /// Every change with its row kind.
    Changelog,
}

/// Options of `levada sql`.
#[derive(Debug, Args)]
pub struct SqlArguments {
    /// Run the statements of a file; `-` is standard input.
    #[arg(short, long, value_name = "FILE", conflicts_with = "execute")]
    pub file: Option<PathBuf>,

    /// Run these statements.
    #[arg(short, long, value_name = "SQL")]
    pub execute: Option<String>,

    /// How results are printed. With csv, json and changelog nothing else goes to standard
    /// output.
    #[arg(short, long, value_enum, default_value_t = Output::Table)]
    pub output: Output,

    /// Run jobs on the coordinator at this address instead of in this process.
    #[arg(long, value_name = "HOST:PORT")]
    pub connect: Option<String>,

    /// Subtasks of each operator (`parallelism.default`).
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=32768))]
    pub parallelism: Option<u32>,

    /// Slots of the engine in this process. Without it there are as many as jobs ask for.
    #[arg(long, value_name = "N", conflicts_with = "connect", value_parser = clap::value_parser!(u32).range(1..=32768))]
    pub slots: Option<u32>,

    /// The memory of the engine in this process.
    #[command(flatten)]
    pub memory: MemoryArgument,

    /// Set a configuration before the first statement, like SET. May be repeated.
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = assignment)]
    pub set: Vec<(String, String)>,

    /// With --connect: do not wait for INSERT jobs over unbounded input.
    #[arg(long, requires = "connect")]
    pub detach: bool,
}

/// How much memory a worker has.
#[derive(Debug, Clone, Copy, Args)]
pub struct MemoryArgument {
    /// How much memory a worker may use for state, its caches and batches, for instance 512mb or
    /// 4gb (`worker.memory`); without it, half of what there is. State of the backends disk and rocksdb that
    /// is larger goes to disk.
    #[arg(long = "memory", value_name = "SIZE", value_parser = size)]
    pub bytes: Option<u64>,
}

impl MemoryArgument {
    /// The memory.
    pub fn get(self) -> Memory {
        self.bytes.map_or_else(Memory::of_machine, Memory::new)
    }
}

/// Options of `levada coordinator`.
#[derive(Debug, Args)]
pub struct CoordinatorArguments {
    /// Where clients and workers connect to.
    #[arg(long, value_name = "HOST:PORT", default_value = COORDINATOR)]
    pub bind: String,

    /// Where jobs are written down, so that they go on when the coordinator is started again, and where
    /// checkpoints are kept unless a job says otherwise.
    #[arg(long, value_name = "DIR")]
    pub dir: PathBuf,

    /// Serve Prometheus metrics here, under /metrics.
    #[arg(long, value_name = "HOST:PORT")]
    pub metrics: Option<String>,

    /// End when standard input ends, so that no process outlives the one that started it.
    #[arg(long, hide = true)]
    pub until_stdin_ends: bool,
}

/// Options of `levada worker`.
#[derive(Debug, Args)]
pub struct WorkerArguments {
    /// The coordinator to offer slots to.
    #[arg(long, value_name = "HOST:PORT", default_value = COORDINATOR)]
    pub coordinator: String,

    /// How many slots: a job needs as many as its highest parallelism.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=32768))]
    pub slots: u32,

    /// Its memory.
    #[command(flatten)]
    pub memory: MemoryArgument,

    /// Where other workers connect to; port 0 takes a free one.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:0")]
    pub bind: String,

    /// Where state that does not fit into memory is kept while the worker runs, in a folder of its own;
    /// what killed workers have left there is removed.
    #[arg(long, value_name = "DIR")]
    pub scratch: Option<PathBuf>,

    /// Serve Prometheus metrics here, under /metrics.
    #[arg(long, value_name = "HOST:PORT")]
    pub metrics: Option<String>,

    /// End when standard input ends, so that no process outlives the one that started it.
    #[arg(long, hide = true)]
    pub until_stdin_ends: bool,
}

/// Options of `levada cluster`.
#[derive(Debug, Args)]
pub struct ClusterArguments {
    /// How many worker processes.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=256))]
    pub workers: u32,

    /// Slots of each worker.
    #[arg(long, value_name = "M", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=32768))]
    pub slots: u32,

    /// The memory of each worker.
    #[command(flatten)]
    pub memory: MemoryArgument,

    /// Where clients connect to; port 0 takes a free one.
    #[arg(long, value_name = "HOST:PORT", default_value = COORDINATOR)]
    pub bind: String,

    /// Where checkpoints are kept. Without it, in a folder that is removed at the end.
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,

    /// Serve the coordinator's Prometheus metrics here, under /metrics.
    #[arg(long, value_name = "HOST:PORT")]
    pub metrics: Option<String>,
}

/// Options of `levada state`.
#[derive(Debug, Args)]
pub struct StateArguments {
    /// What to do.
    #[command(subcommand)]
    pub command: StateCommand,
}

/// What to do with checkpoints and savepoints.
#[derive(Debug, Subcommand)]
pub enum StateCommand {
    /// Check all of a checkpoint or savepoint, and show what is in it; or query its state.
    Inspect {
        /// A folder chk-N of a job's checkpoints, or a savepoint's folder; an object-store URL will do.
        #[arg(value_name = "PATH")]
        path: String,
        /// What is shown.
        #[arg(long, value_enum, default_value_t = StateView::Operators)]
        show: StateView,
        /// Query what operators remember: a SELECT, SHOW TABLES or DESCRIBE. There is a table for the
        /// groups of each aggregation, and others; only the files that the query reads are checked.
        #[arg(long, value_name = "QUERY", conflicts_with = "show")]
        sql: Option<String>,
        /// How it is printed.
        #[arg(short, long, value_enum, default_value_t = Output::Table)]
        output: Output,
    },
}

/// Which contents of a checkpoint are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StateView {
    /// Its operators, with the size of their state.
    Operators,
    /// What its aggregations have accumulated, call by call.
    Aggregates,
    /// Its state files.
    Files,
    /// Where its sources stand.
    Positions,
}

/// Options of `levada job`.
#[derive(Debug, Args)]
pub struct JobArguments {
    /// What to do.
    #[command(subcommand)]
    pub command: JobCommand,

    /// The coordinator.
    #[arg(long, global = true, value_name = "HOST:PORT", default_value = COORDINATOR)]
    pub connect: String,
}

/// What to do with jobs.
#[derive(Debug, Subcommand)]
pub enum JobCommand {
    /// List all jobs.
    List {
        /// How the list is printed.
        #[arg(short, long, value_enum, default_value_t = Output::Table)]
        output: Output,
    },
    /// Stop jobs, with a last checkpoint, and wait until they have ended.
    Stop {
        /// The jobs' ids.
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
        /// Stop at once; what is not committed is lost.
        #[arg(long, conflicts_with_all = ["savepoint", "drain"])]
        cancel: bool,
        /// Make a savepoint of the last checkpoint.
        #[arg(long)]
        savepoint: bool,
        /// End the input first, so that every window fires.
        #[arg(long)]
        drain: bool,
        /// Where the savepoint goes; without it, to savepoints beside the checkpoints.
        #[arg(long, value_name = "DIR", requires = "savepoint")]
        dir: Option<String>,
    },
    /// Make a savepoint of a job, which goes on: a copy of what it remembers, from which another job
    /// can start (SET 'execution.state-recovery.path').
    Savepoint {
        /// The job's id.
        #[arg(value_name = "ID")]
        id: String,
        /// Where it goes; without it, to savepoints beside the checkpoints.
        #[arg(long, value_name = "DIR")]
        dir: Option<String>,
    },
}

/// A size such as `512mb` or `4 gb`, in powers of 1024; a bare number is bytes.
fn size(text: &str) -> Result<u64, String> {
    let text = text.trim().to_ascii_lowercase();
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor: u64 = match unit.trim() {
        "" | "b" => 1,
        "k" | "kb" => 1 << 10,
        "m" | "mb" => 1 << 20,
        "g" | "gb" => 1 << 30,
        "t" | "tb" => 1 << 40,
        _ => return Err("expected a size such as 512mb or 4gb".to_string()),
    };
    let bytes = number
        .parse::<u64>()
        .ok()
        .and_then(|n| n.checked_mul(factor));
    match bytes {
        Some(bytes) if bytes >= SMALLEST_MEMORY => Ok(bytes),
        Some(_) => Err("a worker needs at least 16mb".to_string()),
        None => Err("expected a size such as 512mb or 4gb".to_string()),
    }
}

fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((name.trim().to_string(), value.trim().to_string()))
        }
        _ => Err("expected NAME=VALUE".to_string()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn assignments_split_at_the_first_equals_sign() {
        let parsed = assignment("pipeline.name = a=b").unwrap();
        assert_eq!(parsed, ("pipeline.name".to_string(), "a=b".to_string()));
        assert!(assignment("=x").is_err() && assignment("x").is_err());
    }

    #[test]
    fn wrong_usage_is_refused() {
        let wrong: [&[&str]; 6] = [
            &["levada", "sql", "-f", "a.sql", "-e", "SELECT 1"],
            &["levada", "sql", "--detach"],
            &["levada", "sql", "-p", "0"],
            &["levada", "worker"],
            &["levada", "job", "stop"],
            &[
                "levada",
                "state",
                "inspect",
                "a",
                "--sql",
                "SHOW TABLES",
                "--show",
                "files",
            ],
        ];
        for arguments in wrong {
            assert!(
                Arguments::try_parse_from(arguments).is_err(),
                "{arguments:?}"
            );
        }
    }
}
