//! Apache Flink, from its published jars, in an embedded mini cluster of one JVM.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::{Cost, Setup, System, reported_costs};
use crate::digest::Digest;
use crate::error::{At, Result};
use crate::process::{self, Output};
use crate::query::Query;

/// The packages of the JDK that Flink reaches into, as in its own configuration.
const OPENS: &[&str] = &[
    "java.lang",
    "java.lang.reflect",
    "java.net",
    "java.io",
    "java.nio",
    "sun.nio.ch",
    "java.text",
    "java.time",
    "java.util",
    "java.util.concurrent",
    "java.util.concurrent.atomic",
    "java.util.concurrent.locks",
];

/// Flink's jars and the runner that was compiled against them.
#[derive(Debug)]
pub struct Flink {
    home: PathBuf,
}

impl Flink {
    /// The installation that `benchmarks/peers/install.sh flink` made.
    pub fn new(home: PathBuf) -> Self {
        Self { home }
    }

    fn command(&self, setup: &Setup, mode: &str, sql: &str, target: &str) -> Result<Command> {
        let script = setup.scratch.join("flink.sql");
        fs::write(&script, sql).at(&script)?;
        let home = self.home.display();
        let mut command = Command::new("java");
        command.arg("-Xms8g").arg("-Xmx8g");
        for package in OPENS {
            command.arg(format!("--add-opens=java.base/{package}=ALL-UNNAMED"));
        }
        command
            .arg(format!(
                "-Dlog4j2.configurationFile={home}/runner/log4j2.properties"
            ))
            .arg(format!("-Djava.io.tmpdir={}", setup.scratch.display()))
            .arg("-cp")
            .arg(format!("{home}/runner:{home}/lib/*"))
            .args(["FlinkPeer", mode])
            .arg(script)
            .arg(setup.parallelism.to_string())
            .arg(target);
        for (name, value) in setup.settings_of(self.name()) {
            command.arg(format!("{name}={value}"));
        }
        if let Some(bytes) = setup.memory {
            command.arg(format!("taskmanager.memory.managed.size={bytes} bytes"));
        }
        Ok(command)
    }
}

impl System for Flink {
    fn name(&self) -> &'static str {
        "flink"
    }

    fn takes_turns(&self) -> bool {
        false
    }

    /// All runs in one JVM, the first of them to warm it up and not counted.
    fn measure(&self, query: &Query, setup: &Setup, runs: usize) -> Result<Vec<Cost>> {
        let sql = query.insert_script(&setup.input);
        let warm_up = usize::from(!query.is_long);
        let runs = (runs + warm_up).to_string();
        let mut command = self.command(setup, "measure", &sql, &runs)?;
        let run = process::run(
            self.name(),
            &mut command,
            Output::Kept,
            &setup.scratch,
            setup.limit,
        );
        let _ = fs::remove_dir_all(setup.checkpoints(self.name()));
        Ok(reported_costs(&run?).split_off(warm_up))
    }

    fn rows(&self, query: &Query, setup: &Setup) -> Result<Digest> {
        // Flink has one watermark a reader, not one a file: a reader that happens to get both files
        // would find the second one late. The input spans 50 s.
        let sql = query.select_script(&setup.check_input, 99);
        let rows = setup.scratch.join("flink.rows");
        let mut command = self.command(setup, "rows", &sql, &rows.display().to_string())?;
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
