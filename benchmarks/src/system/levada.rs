//! Levada itself: the release binary, run as a user runs it.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::{Cost, Setup, System, median};
use crate::digest::Digest;
use crate::error::{At, Error, Result};
use crate::process::{self, Output};
use crate::query::Query;

/// Which of Levada's two ways of running a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Continuous: what is measured and compared.
    Streaming,
    /// The same SQL as batch: a peer like the others, and what streaming must agree with.
    Batch,
}

/// The `levada` binary in one of its modes.
#[derive(Debug)]
pub struct Levada {
    binary: PathBuf,
    mode: Mode,
}

impl Levada {
    /// The binary at `binary`.
    ///
    /// # Errors
    /// When there is none.
    pub fn new(binary: PathBuf, mode: Mode) -> Result<Self> {
        if binary.is_file() {
            return Ok(Self { binary, mode });
        }
        Err(Error::Invalid(format!(
            "no levada binary at {}; build it with `make build` or name it with --levada",
            binary.display()
        )))
    }

    fn script(&self, setup: &Setup, sql: &str) -> Result<PathBuf> {
        let mode = match self.mode {
            Mode::Streaming => "streaming",
            Mode::Batch => "batch",
        };
        let text = format!(
            "SET 'execution.runtime-mode' = '{mode}';\nSET 'parallelism.default' = '{}';\n{sql}",
            setup.parallelism
        );
        let path = setup.scratch.join("levada.sql");
        fs::write(&path, text).at(&path)?;
        Ok(path)
    }

    fn command(&self, script: PathBuf) -> Command {
        let mut command = Command::new(&self.binary);
        command.arg("sql").arg("-f").arg(script);
        command
    }
}

impl System for Levada {
    fn name(&self) -> &'static str {
        match self.mode {
            Mode::Streaming => "levada",
            Mode::Batch => "batch",
        }
    }

    /// Each run is a process; its time is that of the whole process, start and end included.
    fn measure(&self, query: &Query, setup: &Setup) -> Result<Cost> {
        let script = self.script(setup, &query.insert_script(&setup.input))?;
        let (mut seconds, mut peak_bytes) = (Vec::new(), 0);
        for _ in 0..setup.runs {
            let mut command = self.command(script.clone());
            let run = process::run(
                self.name(),
                &mut command,
                Output::Kept,
                &setup.scratch,
                setup.limit,
            )?;
            seconds.push(run.wall.as_secs_f64());
            peak_bytes = peak_bytes.max(run.peak_bytes);
        }
        median(self.name(), seconds, peak_bytes)
    }

    fn rows(&self, query: &Query, setup: &Setup) -> Result<Digest> {
        let script = self.script(setup, &query.select_script(&setup.check_input, 4))?;
        let rows = setup.scratch.join("levada.rows");
        let mut command = self.command(script);
        command.arg("--output").arg("json");
        process::run(
            self.name(),
            &mut command,
            Output::File(&rows),
            &setup.scratch,
            setup.limit,
        )?;
        Digest::of_file(&rows, &query.check)
    }
}
