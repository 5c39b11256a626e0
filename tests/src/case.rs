//! A case of the golden suite: one file with its input, its script and what must come out.
//!
//! ```text
//! -- What the case shows, in a sentence.
//! --- use shop                      tables from tests/sql/tables/shop.sql
//! --- skip batch: late rows exist only in streams
//! --- file bids.json                a file in the case's folder, {dir} in the script
//! {"auction": 1, "price": 10}
//! --- module example                tests/sql/modules/example.wat, as {dir}/example.wasm
//! --- sql
//! SELECT auction, COUNT(*) AS n FROM bids GROUP BY auction;
//! --- rows                          of the last SELECT; `rows TABLE` reads a table instead
//! auction | n
//! 1       | 1
//! --- lines out                     the lines of all files in a folder, each after its subfolder
//! --- error [batch|streaming]       what the error must contain, line by line
//! ```
//!
//! Rows come in any order. A cell is trimmed; a text is as it is, or in double quotes where spaces
//! matter.

use std::path::Path;

use levada_planner::parser::{ParsedStatement, Statement};

use crate::run::{Scope, Way};

/// A case.
#[derive(Debug, Clone)]
pub struct Case {
    /// The path below `tests/sql`, without the ending.
    pub name: String,
    /// How it is not run; each has a reason in the file.
    pub skips: Vec<Scope>,
    /// Files by name, written before the script runs.
    pub files: Vec<(String, String)>,
    /// WebAssembly modules by the names of their files.
    pub modules: Vec<(String, Vec<u8>)>,
    /// The tables that it shares with other cases: a script that runs first.
    pub prelude: String,
    /// The script.
    pub sql: String,
    /// What must come out.
    pub expected: Vec<Expected>,
    /// Whether the input files must stay as they are instead of being dealt out over several.
    pub whole: bool,
}

/// One thing that must come out.
#[derive(Debug, Clone)]
pub enum Expected {
    /// The rows of the last SELECT, or of a table.
    Rows {
        /// The table to read, if it is not the last SELECT.
        table: Option<String>,
        /// The columns.
        columns: Vec<String>,
        /// The rows, as cells joined by ` | `, sorted.
        rows: Vec<String>,
    },
    /// The lines of all files below a folder, each as `SUBFOLDER: LINE`, sorted.
    Lines {
        /// The folder.
        folder: String,
        /// The lines.
        lines: Vec<String>,
    },
    /// The script fails, and the error contains these.
    Error {
        /// In which ways of running.
        scope: Scope,
        /// Parts of the message.
        parts: Vec<String>,
    },
}

/// Separates the cells of a row.
pub const CELL: &str = " | ";

impl Case {
    /// Reads a case.
    pub fn read(root: &Path, path: &Path) -> Self {
        let text = std::fs::read_to_string(path).expect("a case is readable");
        let name = path.strip_prefix(root).unwrap_or(path).with_extension("");
        let name = name.display().to_string();
        let mut case = Case {
            name: name.clone(),
            skips: Vec::new(),
            files: Vec::new(),
            modules: Vec::new(),
            prelude: String::new(),
            sql: String::new(),
            expected: Vec::new(),
            whole: false,
        };
        for (head, body) in sections(&text) {
            case.section(root, &head, &body)
                .unwrap_or_else(|problem| panic!("{name}: {problem}"));
        }
        assert!(!case.sql.is_empty(), "{name}: no `--- sql`");
        assert!(!case.expected.is_empty(), "{name}: nothing is expected");
        case
    }

    fn section(&mut self, root: &Path, head: &str, body: &str) -> Result<(), String> {
        let (word, rest) = head.split_once(' ').unwrap_or((head, ""));
        let rest = rest.trim();
        match word {
            "use" => self.include(&root.join("tables").join(format!("{rest}.sql")))?,
            "skip" => {
                let (ways, reason) = rest.split_once(':').ok_or("skip without a reason")?;
                assert!(!reason.trim().is_empty(), "skip without a reason");
                for way in ways.split(',') {
                    self.skips.push(Scope::named(way.trim())?);
                }
            }
            "module" => {
                let text = root.join("modules").join(format!("{rest}.wat"));
                let bytes = wat::parse_file(&text).map_err(|e| e.to_string())?;
                self.modules.push((format!("{rest}.wasm"), bytes));
            }
            "file" => self.files.push((rest.to_string(), body.to_string())),
            "whole" => self.whole = true,
            "sql" => self.sql = body.to_string(),
            "rows" => self.expected.push(rows(rest, body)?),
            "lines" => {
                let mut lines: Vec<String> = content(body).map(str::to_string).collect();
                lines.sort();
                let folder = rest.to_string();
                self.expected.push(Expected::Lines { folder, lines });
            }
            "error" => self.expected.push(Expected::Error {
                scope: match rest {
                    "" => Scope::All,
                    way => Scope::named(way)?,
                },
                parts: content(body).map(|line| line.trim().to_string()).collect(),
            }),
            other => return Err(format!("unknown section `--- {other}`")),
        }
        Ok(())
    }

    /// Takes the files and the script of shared tables.
    fn include(&mut self, path: &Path) -> Result<(), String> {
        let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
        for (head, body) in sections(&text) {
            match head.split_once(' ').unwrap_or((&head, "")) {
                ("file", name) => self.files.push((name.to_string(), body)),
                ("sql", _) => self.prelude.push_str(&body),
                _ => return Err(format!("{}: no place for `{head}`", path.display())),
            }
        }
        Ok(())
    }

    /// The error that this way of running must give, if it must.
    pub fn error(&self, way: Way) -> Option<&[String]> {
        self.expected.iter().find_map(|expected| match expected {
            Expected::Error { scope, parts } if scope.has(way) => Some(parts.as_slice()),
            _ => None,
        })
    }

    /// Whether it is run this way.
    pub fn runs(&self, way: Way) -> bool {
        let skipped = self.skips.iter().any(|scope| scope.has(way));
        // A script that must fail fails at its own moment; one that never starts a job of its own
        // cannot be interrupted.
        let interrupts = matches!(way, Way::Stopped | Way::Failed | Way::Overtaken | Way::View);
        let writes = self.sql.to_uppercase().contains("INSERT INTO");
        let fails_anyway = interrupts && self.error(way).is_some();
        let fits = match way {
            Way::Failed => writes,
            Way::View => self.ends_with_query(),
            _ => true,
        };
        !skipped && !fails_anyway && fits
    }

    /// Whether the last statement gives rows.
    fn ends_with_query(&self) -> bool {
        let statements = levada_planner::parser::parse(&self.sql);
        let last = statements.as_ref().ok().and_then(|all| all.last());
        let is_query = |s: &ParsedStatement| matches!(s.statement, Statement::Query(_));
        let has_rows = |e: &Expected| matches!(e, Expected::Rows { table: None, .. });
        last.is_some_and(is_query) && self.expected.iter().any(has_rows)
    }
}

/// The parts of a file that begin with `--- `; what stands before the first is the description.
fn sections(text: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        if let Some(head) = line.strip_prefix("--- ") {
            found.push((head.trim().to_string(), String::new()));
        } else if let Some((_, body)) = found.last_mut() {
            body.push_str(line);
            body.push('\n');
        }
    }
    found
}

fn content(body: &str) -> impl Iterator<Item = &str> {
    body.lines().filter(|line| !line.trim().is_empty())
}

fn rows(table: &str, body: &str) -> Result<Expected, String> {
    let mut lines = content(body);
    let columns = cells(lines.next().ok_or("rows without the names of columns")?);
    let mut rows = Vec::new();
    for line in lines {
        let cells = cells(line);
        if cells.len() != columns.len() {
            return Err(format!(
                "{} cells for {} columns: {line}",
                cells.len(),
                columns.len()
            ));
        }
        rows.push(cells.join(CELL));
    }
    rows.sort();
    let table = Some(table.to_string()).filter(|name| !name.is_empty());
    Ok(Expected::Rows {
        table,
        columns,
        rows,
    })
}

fn cells(line: &str) -> Vec<String> {
    let padded = format!(" {} ", line.trim());
    let split = padded.split(CELL).map(|cell| {
        let cell = cell.trim();
        let quoted = cell
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'));
        quoted.unwrap_or(cell).to_string()
    });
    split.collect()
}

/// A row as it is compared.
pub fn join(cells: &[String]) -> String {
    cells.join(CELL)
}

/// All cases below `tests/sql`, sorted by name.
pub fn all(root: &Path) -> Vec<Case> {
    let mut paths = Vec::new();
    walk(root, &mut paths);
    paths.sort();
    let is_case = |path: &&std::path::PathBuf| {
        path.extension().is_some_and(|e| e == "sql") && !path.starts_with(root.join("tables"))
    };
    paths
        .iter()
        .filter(is_case)
        .map(|path| Case::read(root, path))
        .collect()
}

/// All files below a folder.
pub fn walk(folder: &Path, into: &mut Vec<std::path::PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        match entry.path() {
            path if path.is_dir() => walk(&path, into),
            path => into.push(path),
        }
    }
}
