//! Queries made up by chance, in batch mode and on streams: both must give the same rows.
//!
//! ```text
//!   seed ──choices──▶ numbers ──maker──▶ tables, rows, a query ──▶ Case
//!                        ▲                                          │ judge: batch, then the ways of streams
//!                        │ shrink: fewer and smaller numbers        ▼
//!                        └──────────────── a difference, a panic, an internal error, a hang
//! ```
//!
//! [`Choices`] are the numbers that everything is decided by; [`maker`] puts queries together out of [`joins`],
//! [`aggregates`], [`windows`], [`matches`] and [`expressions`] over [`tables`]. [`judge`] says whether what comes out is right, and
//! [`shrink`] makes a small case of one that is not, to be put under `tests/sql`.
//!
//! What decides a result must be in the query: orders are total, sums do not depend on their order, and no row is
//! late.

mod aggregates;
mod choices;
mod expressions;
mod joins;
pub mod judge;
mod maker;
mod matches;
mod shrink;
mod tables;
#[cfg(test)]
mod tests;
mod windows;

pub use choices::Choices;
pub use shrink::shrink;

use crate::case::Case;
use maker::Maker;

/// A case that follows from choices; it says nothing yet of what must come out.
pub fn case(choices: &mut Choices) -> Case {
    let mut maker = Maker::new(choices);
    let query = maker.statement();
    let views = maker.views.concat();
    let text = format!("{views}{};\n", query.sql);
    let used = maker
        .tables
        .iter()
        .filter(|table| reads(&text, &table.name));
    let used: Vec<_> = used.collect();
    let ddl: String = used.iter().map(|table| table.ddl()).collect();
    let files = used.iter().map(|table| {
        let lines = table.lines.iter().map(|line| format!("{line}\n"));
        (format!("{}.json", table.name), lines.collect())
    });
    Case {
        name: "generated".to_string(),
        skips: Vec::new(),
        files: files.collect(),
        modules: Vec::new(),
        prelude: String::new(),
        sql: format!("{ddl}{text}"),
        expected: Vec::new(),
        whole: used.iter().any(|table| table.role.changes()),
    }
}

/// Whether a text has a name as a word of its own.
fn reads(text: &str, name: &str) -> bool {
    let inside = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    text.split(|c| !inside(c)).any(|word| word == name)
}

/// A case as a file of the golden suite. Its rows are those of batch mode, so they are still to be checked.
pub fn golden(case: &Case, comment: &str) -> String {
    let mut text = format!("-- {comment}\n");
    if case.whole {
        text.push_str("--- whole\n");
    }
    for (name, content) in &case.files {
        text.push_str(&format!("--- file {name}\n{content}"));
    }
    text.push_str(&format!("--- sql\n{}", case.sql));
    for expected in &case.expected {
        if let crate::case::Expected::Rows { columns, rows, .. } = expected {
            let rows: String = rows.iter().map(|row| format!("{row}\n")).collect();
            text.push_str(&format!(
                "--- rows\n{}\n{rows}",
                columns.join(crate::case::CELL)
            ));
        }
    }
    text
}
