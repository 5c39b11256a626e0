//! DuckDB: what the hardware allows when the work is not incremental.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Cost, Setup, System, reported_costs};
use crate::digest::Digest;
use crate::error::{At, Error, Result};
use crate::generate::Made;
use crate::process::{self, Output};
use crate::query::{Query, fill};

/// DuckDB in its Python environment.
#[derive(Debug)]
pub struct DuckDb {
    home: PathBuf,
    runner: PathBuf,
    ddl: String,
}

impl DuckDb {
    /// The installation that `benchmarks/peers/install.sh duckdb` made, the script that runs
    /// queries in it, and the suite's folder.
    ///
    /// # Errors
    /// When the suite lacks DuckDB's views.
    pub fn new(home: PathBuf, runner: PathBuf, suite: &Path) -> Result<Self> {
        let path = suite.join("duckdb/ddl.sql");
        let ddl = fs::read_to_string(&path).at(&path)?;
        Ok(Self { home, runner, ddl })
    }

    fn command(
        &self,
        query: &Query,
        setup: &Setup,
        mode: &str,
        input: &Made,
        target: &str,
    ) -> Result<Command> {
        let sql = query.duckdb.as_deref().ok_or_else(|| Error::System {
            system: self.name(),
            reason: format!("there is no nexmark/duckdb/{}.sql", query.name),
        })?;
        let (ddl_path, sql_path) = (
            setup.scratch.join("duckdb-ddl.sql"),
            setup.scratch.join("duckdb.sql"),
        );
        fs::write(&ddl_path, fill(&self.ddl, input)).at(&ddl_path)?;
        fs::write(&sql_path, sql).at(&sql_path)?;
        let mut command = Command::new(self.home.join("bin/python"));
        command
            .arg(&self.runner)
            .arg(mode)
            .arg(ddl_path)
            .arg(sql_path)
            .arg(setup.parallelism.to_string())
            .arg(target);
        Ok(command)
    }
}

impl System for DuckDb {
    fn name(&self) -> &'static str {
        "duckdb"
    }

    fn takes_turns(&self) -> bool {
        false
    }

    /// All runs in one process, each timed without the process's start.
    fn measure(&self, query: &Query, setup: &Setup, runs: usize) -> Result<Vec<Cost>> {
        let runs = runs.to_string();
        let mut command = self.command(query, setup, "measure", &setup.input, &runs)?;
        let run = process::run(
            self.name(),
            &mut command,
            Output::Kept,
            &setup.scratch,
            setup.limit,
        )?;
        Ok(reported_costs(&run))
    }

    fn rows(&self, query: &Query, setup: &Setup) -> Result<Digest> {
        let rows = setup.scratch.join("duckdb.rows");
        let target = rows.display().to_string();
        let mut command = self.command(query, setup, "rows", &setup.check_input, &target)?;
        process::run(
            self.name(),
            &mut command,
            Output::Kept,
            &setup.scratch,
            setup.limit,
        )?;
        Digest::of_file(&rows, &query.check)
    }
}
