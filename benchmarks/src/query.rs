//! The queries, as SQL files, and how they are filled in for a system.
//!
//! A query's file holds its sink's DDL, views if it needs some, and one `INSERT INTO sink`. Comment
//! lines may carry directives: `-- check: total COLUMN` compares only that column's sum, and
//! `-- check-without: SYSTEM` leaves a system out of the comparison. `-- long` says that a run is long
//! enough to count without one before it that warms the system up. `${suite}` is the suite's folder.

use std::fs;
use std::path::Path;

use crate::error::{At, Error, Result};
use crate::generate::Made;

#[cfg(test)]
mod tests;

/// How outputs are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Check {
    /// All rows, in any order.
    Rows,
    /// The sum of one column.
    Total {
        /// The column's name.
        column: String,
        /// Its position.
        index: usize,
    },
}

/// One query of the suite.
#[derive(Clone, Debug)]
pub struct Query {
    /// Its name: the file's, without the ending.
    pub name: String,
    /// How its outputs are compared.
    pub check: Check,
    /// A run takes minutes, so that nothing needs to be warm before.
    pub is_long: bool,
    /// Systems whose output can't be compared.
    pub check_without: Vec<String>,
    /// The events table and its views.
    ddl: String,
    /// `CREATE TABLE sink …`, with `${sink}` for its options.
    sink: String,
    /// What else comes before the query.
    views: Vec<String>,
    /// The query itself, without `INSERT INTO sink`.
    select: String,
    /// The same query in DuckDB's SQL.
    pub duckdb: Option<String>,
}

/// The names of a suite's queries, as people count: q2 comes before q11.
///
/// # Errors
/// When the folder can't be read.
pub fn names(suite: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(suite).at(suite)? {
        let file = entry.at(suite)?.file_name();
        let name = file.to_str().and_then(|file| file.strip_suffix(".sql"));
        names.extend(name.filter(|name| *name != "ddl").map(str::to_owned));
    }
    let number = |name: &str| {
        let digits = name.trim_start_matches(|c: char| !c.is_ascii_digit());
        let end = digits.find(|c: char| !c.is_ascii_digit());
        digits[..end.unwrap_or(digits.len())]
            .parse()
            .unwrap_or(0u64)
    };
    names.sort_by_key(|name| (number(name), name.clone()));
    Ok(names)
}

const INSERT: &str = "INSERT INTO sink\n";

impl Query {
    /// Reads one query of the suite in folder `suite`.
    ///
    /// # Errors
    /// When there is no such query or its file lacks a part.
    pub fn load(suite: &Path, name: &str) -> Result<Self> {
        let path = suite.join(format!("{name}.sql"));
        if !path.is_file() || name == "ddl" {
            return Err(Error::Invalid(format!(
                "no query {name}; there are {}",
                names(suite)?.join(", ")
            )));
        }
        let read = |path: &Path| fs::read_to_string(path).at(path);
        let duckdb = suite.join(format!("duckdb/{name}.sql"));
        let mut query = Self::parse(name, &read(&path)?)?;
        query.ddl = read(&suite.join("ddl.sql"))?;
        query.duckdb = duckdb.is_file().then(|| read(&duckdb)).transpose()?;
        query.find_files(&suite.canonicalize().at(suite)?);
        Ok(query)
    }

    /// Puts in where the suite's own files are.
    fn find_files(&mut self, suite: &Path) {
        let suite = suite.display().to_string();
        for sql in self.views.iter_mut().chain(&mut self.duckdb) {
            *sql = sql.replace("${suite}", &suite);
        }
    }

    /// Splits a query's file into its parts.
    fn parse(name: &str, text: &str) -> Result<Self> {
        let invalid = |reason: &str| Error::Invalid(format!("query {name}: {reason}"));
        let (mut sink, mut select, mut views) = (None, None, Vec::new());
        for statement in statements(text) {
            if statement.starts_with("CREATE TABLE sink") {
                sink = Some(statement);
            } else if let Some(query) = statement.strip_prefix(INSERT) {
                select = Some(query.to_owned());
            } else {
                views.push(statement);
            }
        }
        let sink = sink.ok_or_else(|| invalid("no CREATE TABLE sink"))?;
        let directive = |key: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix("-- ")?.strip_prefix(key))
                .map(str::trim)
        };
        let check = match directive("check: total ") {
            None => Check::Rows,
            Some(column) => Check::Total {
                column: column.to_owned(),
                index: column_index(&sink, column)
                    .ok_or_else(|| invalid("the column to total is not the sink's"))?,
            },
        };
        let check_without = directive("check-without: ").unwrap_or_default();
        Ok(Self {
            name: name.to_owned(),
            check,
            is_long: text.lines().any(|line| line == "-- long"),
            check_without: check_without
                .split_whitespace()
                .map(str::to_owned)
                .collect(),
            ddl: String::new(),
            sink,
            views,
            select: select.ok_or_else(|| invalid("no INSERT INTO sink"))?,
            duckdb: None,
        })
    }

    /// The whole script: events from `input` into a blackhole.
    pub fn insert_script(&self, input: &Made) -> String {
        let sink = self.sink.replace("${sink}", "'connector' = 'blackhole'");
        let mut script = self.setup(4);
        script.push_str(&format!(
            "{sink};\n{}{INSERT}{};\n",
            self.views(),
            self.select
        ));
        fill(&script, input)
    }

    /// The whole script with a bare SELECT at its end. `delay` is the watermark's, in seconds:
    /// systems that read files one after the other need it longer than the input.
    pub fn select_script(&self, input: &Made, delay: u64) -> String {
        let mut script = self.setup(delay);
        script.push_str(&format!("{}{};\n", self.views(), self.select));
        fill(&script, input)
    }

    /// Whether it reads files, and does not make its input by itself.
    pub fn reads_files(&self) -> bool {
        self.ddl.contains("${path}")
    }

    fn setup(&self, delay: u64) -> String {
        self.ddl.replace("${delay}", &delay.to_string())
    }

    fn views(&self) -> String {
        self.views.iter().map(|view| format!("{view};\n")).collect()
    }
}

/// Puts the input's folder and size into a script.
pub fn fill(sql: &str, input: &Made) -> String {
    sql.replace("${path}", &input.dir.display().to_string())
        .replace("${events}", &input.events.to_string())
        .replace("${keys}", &(input.events / 2).max(1).to_string())
}

/// A script's statements, without comment lines. A semicolon ends one at the end of a line.
fn statements(text: &str) -> Vec<String> {
    let code: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("--"))
        .collect();
    code.join("\n")
        .split(";\n")
        .map(|statement| statement.trim().trim_end_matches(';').to_owned())
        .filter(|statement| !statement.is_empty())
        .collect()
}

/// The position of a column in `CREATE TABLE sink (…)`, which has one column a line.
fn column_index(sink: &str, column: &str) -> Option<usize> {
    sink.lines()
        .skip(1)
        .position(|line| line.split_whitespace().next() == Some(column))
}
