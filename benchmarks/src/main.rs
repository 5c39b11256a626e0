//! `levada-bench`: makes the benchmark's input and runs it. See the library's documentation.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use levada_bench::error::{Error, Result};
use levada_bench::generate::Input;
use levada_bench::run::{self, Plan};

/// Nexmark on Levada, side by side with its peers.
#[derive(Parser)]
#[command(name = "levada-bench", version)]
struct Cli {
    #[command(subcommand)]
    command: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Make the input: Nexmark events as JSON lines, the same bytes each time
    Generate(Generate),
    /// Run queries, compare the outputs, print the table
    Run(Run),
}

#[derive(Args)]
struct Generate {
    /// How many events, over all files
    #[arg(long, default_value_t = 5_000_000)]
    events: u64,
    /// How many events a second of event time
    #[arg(long, default_value_t = 100_000)]
    rate: usize,
    /// How many files they are dealt out to
    #[arg(long, default_value_t = 2)]
    files: u64,
    /// The folder to make [default: one in the cache]
    #[arg(long)]
    dir: Option<PathBuf>,
}

#[derive(Args)]
struct Run {
    /// How many events to measure with
    #[arg(long, default_value_t = 5_000_000)]
    events: u64,
    /// How many events to compare outputs on, spread over 50 s of event time
    #[arg(long, default_value_t = 200_000)]
    check_events: u64,
    /// Compare outputs only, measure nothing
    #[arg(long)]
    check_only: bool,
    /// Queries by name, or all
    #[arg(long, value_delimiter = ',', default_value = "all")]
    queries: Vec<String>,
    /// Peers: flink, duckdb, batch (Levada's own batch mode), plain (Levada without what --set says,
    /// and run in turn with it), or none
    #[arg(long, value_delimiter = ',', default_value = "flink,duckdb")]
    peers: Vec<String>,
    /// Threads or slots of every system
    #[arg(long, default_value_t = 2)]
    parallelism: usize,
    /// Timed runs of each query; the median counts
    #[arg(long, default_value_t = 1)]
    runs: usize,
    /// A setting for all systems but duckdb, batch and plain, such as
    /// execution.checkpointing.interval=1s; may be repeated
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = setting)]
    settings: Vec<(String, String)>,
    /// Bytes for the state and batches of Levada, and for Flink's RocksDB beside its heap
    #[arg(long)]
    memory: Option<u64>,
    /// The longest that one process may take, in seconds
    #[arg(long, default_value_t = 900)]
    limit_s: u64,
    /// The binary under test [default: the levada beside this program]
    #[arg(long)]
    levada: Option<PathBuf>,
    /// The folder with the queries
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/nexmark"))]
    suite: PathBuf,
}

fn main() -> ExitCode {
    match act(Cli::parse().command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("levada-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn act(action: Action) -> Result<bool> {
    match action {
        Action::Generate(args) => {
            let input = Input {
                events: args.events,
                rate: args.rate.max(1),
                files: args.files.max(1),
            };
            let dir = match args.dir {
                Some(dir) => dir,
                None => input.dir(&cache()?),
            };
            input.make(&dir)?;
            println!("{}", dir.display());
            Ok(true)
        }
        Action::Run(args) => run::run(&plan(args)?),
    }
}

fn setting(text: &str) -> std::result::Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("there is no = in it")?;
    Ok((name.trim().to_string(), value.trim().to_string()))
}

fn plan(args: Run) -> Result<Plan> {
    let files = 2;
    let check_rate = usize::try_from(args.check_events / 50).unwrap_or(usize::MAX);
    Ok(Plan {
        queries: args.queries,
        peers: args.peers,
        input: Input {
            events: args.events,
            rate: 100_000,
            files,
        },
        check_input: Input {
            events: args.check_events,
            rate: check_rate.max(1),
            files,
        },
        suite: args.suite,
        cache: cache()?,
        levada: args.levada.unwrap_or_else(beside),
        parallelism: args.parallelism.max(1),
        runs: args.runs.max(1),
        settings: args.settings,
        memory: args.memory,
        limit: Duration::from_secs(args.limit_s),
        check_only: args.check_only,
    })
}

/// The folder for downloads and inputs: `LEVADA_CACHE`, or `~/.cache/levada`.
fn cache() -> Result<PathBuf> {
    let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache/levada"));
    std::env::var_os("LEVADA_CACHE")
        .map(PathBuf::from)
        .or_else(home)
        .ok_or_else(|| Error::Invalid("set LEVADA_CACHE or HOME: where to keep the input".into()))
}

fn beside() -> PathBuf {
    std::env::current_exe()
        .map(|exe| exe.with_file_name("levada"))
        .unwrap_or_else(|_| PathBuf::from("levada"))
}
