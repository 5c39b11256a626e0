//! The interactive shell.
//!
//! ```text
//!   prompt thread (rustyline) ──lines──▶ shell ──statements──▶ session
//!         ▲ words to complete ───────────┘  └──outcomes──▶ console
//! ```
//!
//! Reading a line blocks, so it has a thread of its own; the shell itself can always be asked to
//! end.

mod completion;
mod highlight;
mod prompt;
mod scan;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::{Arc, RwLock};

use levada_gateway::{Outcome, Session};
use levada_planner::parser;

use crate::console::{Console, Failure, Result};
use crate::signals::{Interrupt, Interrupts};
use completion::Words;
use prompt::{Line, Prompt};

const HELP: &str = "\
Statements end with ';' and may span lines. Besides SQL there is:
  help            this text
  clear           clear the screen
  quit, exit      leave (also Ctrl-D)

  CREATE TABLE t (…) WITH ('connector' = '…', …);   a table over a stream, files or a generator
  SELECT …;                                         results, kept up to date while you watch
  SELECT … FROM 'data/*.parquet';                   files without CREATE TABLE, in batch mode
  INSERT INTO t SELECT …;                           a job that writes a table
  EXPLAIN [CHANGELOG_MODE | JOB GRAPH] …;           what would run
  SHOW TABLES; DESCRIBE t; SHOW JOBS; STOP JOB 'id';
  SET 'execution.runtime-mode' = 'batch';           batch instead of streaming
  SET 'sql-client.execution.result-mode' = 'table' | 'changelog' | 'tableau';
  SET;                                              what is set

Tab completes, Ctrl-C stops the query that runs, arrow keys walk the history.";

/// What a line asks for.
#[derive(Debug, PartialEq, Eq)]
enum Input {
    Nothing,
    Help,
    Clear,
    Quit,
    Sql,
}

/// Where the shell keeps its history and log.
#[derive(Debug, Clone)]
pub struct StateDir(pub PathBuf);

impl StateDir {
    /// `$XDG_STATE_HOME/levada` or `~/.local/state/levada`, created if need be; `None` if there is
    /// no home to keep it in.
    pub fn find() -> Option<Self> {
        let base = std::env::var_os("XDG_STATE_HOME")
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
            .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".local/state")))?;
        let dir = base.join("levada");
        std::fs::create_dir_all(&dir).ok()?;
        Some(StateDir(dir))
    }

    /// The file of the history.
    pub fn history(&self) -> PathBuf {
        self.0.join("history")
    }

    /// The file of the log.
    pub fn log(&self) -> PathBuf {
        self.0.join("levada.log")
    }
}

/// Runs the shell until the user leaves.
///
/// # Errors
/// The terminal cannot be used.
pub async fn run(
    console: &Console,
    session: &mut Session,
    state: Option<StateDir>,
    connectors: Vec<String>,
    interrupts: &mut Interrupts,
) -> Result<()> {
    let words = Arc::new(RwLock::new(Words::new(connectors)));
    let mut prompt = Prompt::start(words.clone(), state.map(|dir| dir.history()))?;
    println!(
        "Levada {} · 'help' helps, 'quit' leaves",
        levada_engine::VERSION
    );
    loop {
        refresh(&words, session);
        let line = tokio::select! {
            line = prompt.next() => line?,
            request = interrupts.next() => match request {
                Interrupt::Stop => continue,
                Interrupt::End => return Ok(()),
            },
        };
        let text = match line {
            Line::Text(text) => text,
            Line::Discarded => continue,
            Line::End => return Ok(()),
        };
        match classify(&text) {
            Input::Nothing => {}
            Input::Help => console.say(HELP)?,
            Input::Clear => print!("\x1b[2J\x1b[H"),
            Input::Quit => return Ok(()),
            Input::Sql => {
                if let Err(failure) = statements(console, session, &text, interrupts).await {
                    complain(console, &text, failure)?;
                }
                if interrupts.must_end() {
                    return Ok(());
                }
            }
        }
    }
}

fn classify(text: &str) -> Input {
    let word = text.trim().trim_end_matches(';').trim_end();
    match word.to_ascii_lowercase().as_str() {
        "" => Input::Nothing,
        "help" | "?" | "\\?" | "\\h" => Input::Help,
        "clear" => Input::Clear,
        "quit" | "exit" | "\\q" => Input::Quit,
        _ => Input::Sql,
    }
}

/// Whether a text can be run as it stands, or more lines belong to it.
fn is_whole(text: &str) -> bool {
    classify(text) != Input::Sql || parser::is_complete(text)
}

async fn statements(
    console: &Console,
    session: &mut Session,
    sql: &str,
    interrupts: &mut Interrupts,
) -> Result<()> {
    for statement in parser::parse(sql).map_err(levada_gateway::Error::from)? {
        let outcome = tokio::select! {
            outcome = session.execute_statement(&statement) => outcome?,
            _ = interrupts.next() => return Err(Failure::Interrupted { unbounded: false }),
        };
        match outcome {
            Outcome::Job(job) if !job.wait => {
                console.say(&format!("job {} runs: {}", job.id, job.name))?;
                console.tell_start(&job)?;
            }
            outcome => console.present(session, outcome, interrupts).await?,
        }
    }
    Ok(())
}

/// A failed statement does not end the shell; a lost terminal does.
fn complain(console: &Console, sql: &str, failure: Failure) -> Result<()> {
    match failure {
        Failure::Statement(error) => console.say(&format!("error: {}", error.render(sql))),
        Failure::Interrupted { .. } => console.say("stopped"),
        Failure::Output(error) => Err(Failure::Output(error)),
    }
}

/// What can be completed changes with each statement.
fn refresh(words: &RwLock<Words>, session: &Session) {
    if let Ok(mut words) = words.write() {
        words.tables = session.tables();
    }
}
