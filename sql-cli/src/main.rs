//! The `levada` binary.
//!
//! ```text
//!   args ──▶ sql ──▶ shell ┐
//!            │       script ┴─▶ session (gateway) ──outcomes──▶ console ──▶ render
//!            ├─▶ coordinator, worker        one role of a cluster each
//!            ├─▶ cluster                    the roles as child processes
//!            ├─▶ job                        asks a coordinator
//!            └─▶ state                      reads checkpoints and savepoints
//! ```
//!
//! Nothing here knows SQL or how jobs run; this crate talks to people, programs and signals. Start
//! reading at [`sql`], then [`console`].

mod args;
mod cluster;
mod console;
mod job;
mod logging;
mod progress;
mod render;
mod roles;
mod script;
mod shell;
mod signals;
mod sql;
mod state;
mod terminal;

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use args::{Arguments, Command};
use console::Failure;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// How long tasks may take to end when everything else is done.
const LINGER: Duration = Duration::from_secs(2);

/// How a command ended that did not succeed.
#[derive(Debug)]
pub enum Exit {
    /// The options contradict each other or are malformed: status 2.
    Usage(String),
    /// Something failed, and this says what: status 1.
    Failed(String),
    /// Something failed, and there is nobody to tell: status 1.
    Silent,
}

impl Exit {
    /// What a failure of a statement of `sql` means for the process.
    fn of(failure: Failure, sql: &str) -> Result<(), Exit> {
        match failure {
            Failure::Statement(error) => Err(Exit::Failed(error.render(sql))),
            Failure::Interrupted { unbounded: true } => Ok(()),
            Failure::Interrupted { unbounded: false } => Err(Exit::Failed("interrupted".into())),
            Failure::Output(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {
                Err(Exit::Silent)
            }
            Failure::Output(error) => Err(Exit::Failed(format!(
                "standard output cannot be written: {error}"
            ))),
        }
    }
}

impl From<levada_gateway::Error> for Exit {
    fn from(error: levada_gateway::Error) -> Self {
        Exit::Failed(error.render(""))
    }
}

impl From<levada_engine::EngineError> for Exit {
    fn from(error: levada_engine::EngineError) -> Self {
        levada_gateway::Error::from(error).into()
    }
}

impl From<std::io::Error> for Exit {
    fn from(error: std::io::Error) -> Self {
        Exit::Failed(error.to_string())
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let ended = match runtime {
        Ok(runtime) => {
            let ended = runtime.block_on(run(arguments));
            runtime.shutdown_timeout(LINGER);
            ended
        }
        Err(error) => Err(Exit::Failed(format!("no threads can be started: {error}"))),
    };
    let (message, status) = match ended {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Exit::Usage(message)) => (message, 2),
        Err(Exit::Failed(message)) => (message, 1),
        Err(Exit::Silent) => return ExitCode::from(1),
    };
    let _ = writeln!(std::io::stderr(), "error: {message}");
    ExitCode::from(status)
}

async fn run(arguments: Arguments) -> Result<(), Exit> {
    let log = |default_level| {
        logging::start(
            arguments.log_format,
            arguments.log_level.as_deref(),
            default_level,
            logging::Target::StandardError,
        )
        .map_err(Exit::Usage)
    };
    match &arguments.command {
        Command::Sql(sql) => sql::run(sql, &arguments).await,
        Command::Coordinator(options) => {
            log("info")?;
            roles::coordinator(options).await
        }
        Command::Worker(options) => {
            log("info")?;
            roles::worker(options).await
        }
        Command::Cluster(options) => {
            log("info")?;
            cluster::run(options, &arguments).await
        }
        Command::State(options) => {
            log("warn")?;
            state::run(options).await
        }
        Command::Job(options) => {
            log("warn")?;
            job::run(options).await
        }
    }
}
