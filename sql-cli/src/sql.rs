//! `levada sql`: from options to a session, and on to the shell or a script.

use std::io::{IsTerminal, Read};
use std::path::Path;
use std::sync::Arc;

use levada_gateway::Session;
use levada_gateway::deployment::{Deployment, Embedded, Remote};
use levada_gateway::environment::connectors;

use crate::Exit;
use crate::args::{Arguments, SqlArguments};
use crate::console::Console;
use crate::logging::{self, Target};
use crate::script;
use crate::shell::{self, StateDir};
use crate::signals::Interrupts;
use crate::terminal::Terminal;

/// Runs `levada sql`.
///
/// # Errors
/// The first failure; statements after it were not run.
pub async fn run(options: &SqlArguments, arguments: &Arguments) -> Result<(), Exit> {
    let interactive =
        options.file.is_none() && options.execute.is_none() && std::io::stdin().is_terminal();
    let state = if interactive { StateDir::find() } else { None };
    let log = state.as_ref().map(StateDir::log);
    let target = match &log {
        Some(path) => Target::File(path),
        None => Target::StandardError,
    };
    let level = if log.is_some() { "info" } else { "warn" };
    let chosen = arguments.log_level.as_deref();
    logging::start(arguments.log_format, chosen, level, target).map_err(Exit::Usage)?;

    let mut session = Session::new(connectors(), deployment(options));
    configure(&mut session, options)?;
    let mut interrupts = Interrupts::listen()?;
    let console = Console {
        output: options.output,
        interactive,
        terminal: Terminal::detect(),
    };
    let ended = match interactive {
        true => {
            let names = connectors()
                .identifiers()
                .into_iter()
                .map(str::to_string)
                .collect();
            let ended = shell::run(&console, &mut session, state, names, &mut interrupts).await;
            ended.or_else(|failure| Exit::of(failure, ""))
        }
        false => run_script(&console, &mut session, options, &mut interrupts).await,
    };
    session.close().await;
    ended
}

async fn run_script(
    console: &Console,
    session: &mut Session,
    options: &SqlArguments,
    interrupts: &mut Interrupts,
) -> Result<(), Exit> {
    let sql = match (&options.execute, &options.file) {
        (Some(sql), _) => sql.clone(),
        (None, Some(path)) if path != Path::new("-") => std::fs::read_to_string(path)
            .map_err(|e| Exit::Failed(format!("cannot read the script {}: {e}", path.display())))?,
        _ => {
            let mut sql = String::new();
            std::io::stdin()
                .read_to_string(&mut sql)
                .map_err(|e| Exit::Failed(format!("cannot read standard input: {e}")))?;
            sql
        }
    };
    let ended = script::run(console, session, &sql, options.detach, interrupts).await;
    ended.or_else(|failure| Exit::of(failure, &sql))
}

fn deployment(options: &SqlArguments) -> Arc<dyn Deployment> {
    match &options.connect {
        Some(address) => Arc::new(Remote::new(address)),
        None => Arc::new(Embedded::new(options.slots, options.memory.get())),
    }
}

/// What the command line sets; a wrong name there is wrong usage.
fn configure(session: &mut Session, options: &SqlArguments) -> Result<(), Exit> {
    let configuration = session.configuration_mut();
    let parallelism = options
        .parallelism
        .map(|n| ("parallelism.default".to_string(), n.to_string()));
    for (name, value) in options.set.iter().cloned().chain(parallelism) {
        let set = configuration.set(&name, &value);
        set.map_err(|error| Exit::Usage(format!("--set {name}={value}: {}", error.render(""))))?;
    }
    Ok(())
}
