//! Levada itself: the release binary, run as a user runs it.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::{Cost, Setup, System};
use crate::digest::Digest;
use crate::error::{At, Error, Result};
use crate::process::{self, Output};
use crate::query::Query;

/// Which of Levada's two ways of running a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Continuous: what is measured and compared.
    Streaming,
    /// Continuous without the settings of the run: what they cost.
    Plain,
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
            Mode::Streaming | Mode::Plain => "streaming",
            Mode::Batch => "batch",
        };
        let parallelism = setup.parallelism.to_string();
        let mut settings = vec![
            ("execution.runtime-mode".to_string(), mode.to_string()),
            ("parallelism.default".to_string(), parallelism),
        ];
        if self.mode == Mode::Streaming {
            settings.extend(setup.settings_of(self.name()));
        }
        let set = |(name, value): &(String, String)| format!("SET '{name}' = '{value}';\n");
        let text = settings.iter().map(set).collect::<String>() + sql;
        let path = setup.scratch.join("levada.sql");
        fs::write(&path, text).at(&path)?;
        Ok(path)
    }

    fn command(&self, script: PathBuf, setup: &Setup) -> Command {
        let mut command = Command::new(&self.binary);
        command.env("TMPDIR", &setup.scratch);
        command.arg("sql").arg("-f").arg(script);
        if let Some(bytes) = setup.memory {
            command.arg("--memory").arg(bytes.to_string());
        }
        command
    }
}

impl System for Levada {
    fn name(&self) -> &'static str {
        match self.mode {
            Mode::Streaming => "levada",
            Mode::Plain => "plain",
            Mode::Batch => "batch",
        }
    }

    fn takes_turns(&self) -> bool {
        true
    }

    /// Each run is a process; its time is that of the whole process, start and end included.
    fn measure(&self, query: &Query, setup: &Setup, runs: usize) -> Result<Vec<Cost>> {
        let script = self.script(setup, &query.insert_script(&setup.input))?;
        let mut costs = Vec::new();
        for _ in 0..runs {
            let mut command = self.command(script.clone(), setup);
            let run = process::run(
                self.name(),
                &mut command,
                Output::Kept,
                &setup.scratch,
                setup.limit,
            );
            let _ = fs::remove_dir_all(setup.checkpoints(self.name()));
            let run = run?;
            costs.push(Cost::of(&run, run.wall.as_secs_f64()));
        }
        Ok(costs)
    }

    fn rows(&self, query: &Query, setup: &Setup) -> Result<Digest> {
        let script = self.script(setup, &query.select_script(&setup.check_input, 4))?;
        let rows = setup.scratch.join("levada.rows");
        let mut command = self.command(script, setup);
        command.arg("--output").arg("json");
        process::run(
            self.name(),
            &mut command,
            Output::File(&rows),
            &setup.scratch,
            setup.limit,
        )?;
        let _ = fs::remove_dir_all(setup.checkpoints(self.name()));
        Digest::of_file(&rows, &query.check)
    }
}
