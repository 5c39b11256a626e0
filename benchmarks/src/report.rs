//! The table that a run ends with.

use std::fmt::Write;

use crate::digest::Digest;
use crate::system::Cost;

#[cfg(test)]
mod tests;

/// What came of one query on one system: its cost and its rows' digest, or why not.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The system's name.
    pub system: &'static str,
    /// What it cost, or what the system said instead.
    pub cost: Result<Cost, String>,
    /// Its rows, or what the system said instead; nothing where they can't be compared.
    pub rows: Option<Result<Digest, String>>,
}

/// One query on all systems; the first is the one that the others are compared with.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The query's name.
    pub query: String,
    /// One per system, in the order of the run.
    pub outcomes: Vec<Outcome>,
}

impl Line {
    /// Whether every system did its work and all digests are equal.
    pub fn is_good(&self) -> bool {
        self.outcomes.iter().all(|o| o.cost.is_ok()) && self.verdict().is_ok()
    }

    /// Whether two systems or more handed over rows.
    pub fn is_compared(&self) -> bool {
        let with_rows = |outcome: &&Outcome| matches!(outcome.rows, Some(Ok(_)));
        self.outcomes.iter().filter(with_rows).count() > 1
    }

    /// What all outputs agree on, or how they don't. A difference counts for more than an output
    /// that is not there.
    fn verdict(&self) -> Result<String, String> {
        let mut agreed: Option<(&'static str, Digest)> = None;
        let mut lacking = Vec::new();
        for outcome in &self.outcomes {
            match (&outcome.rows, agreed) {
                (None, _) => {}
                (Some(Err(reason)), _) => {
                    lacking.push(format!("{}: {reason}", outcome.system));
                }
                (Some(Ok(digest)), None) => agreed = Some((outcome.system, *digest)),
                (Some(Ok(digest)), Some((first, expected))) => {
                    if *digest != expected {
                        let system = outcome.system;
                        return Err(format!("DIFFERS: {first} {expected}; {system} {digest}"));
                    }
                }
            }
        }
        match agreed {
            _ if !lacking.is_empty() => Err(lacking.join("; ")),
            None => Ok("not compared".into()),
            Some((_, digest)) if !self.is_compared() => {
                Ok(format!("{} rows, nothing to compare", digest.rows))
            }
            Some((_, digest)) => Ok(format!("agrees, {} rows", digest.rows)),
        }
    }
}

/// The markdown table: per system seconds, thousand events a second, peak memory and disk, and per
/// peer how many times faster the first system was.
pub fn table(lines: &[Line], events: u64) -> String {
    let mut text = String::new();
    let Some(first) = lines.first() else {
        return text;
    };
    let (mut head, mut rule) = ("| query |".to_owned(), "|---|".to_owned());
    for (index, outcome) in first.outcomes.iter().enumerate() {
        let name = outcome.system;
        let _ = write!(head, " {name} s | k events/s | MB | MB on disk |");
        rule.push_str("--:|--:|--:|--:|");
        if index > 0 {
            let _ = write!(head, " × {name} |");
            rule.push_str("--:|");
        }
    }
    let _ = writeln!(text, "{head} output |\n{rule}---|");
    for line in lines {
        text.push_str(&row(line, events));
    }
    text
}

fn row(line: &Line, events: u64) -> String {
    let mut text = format!("| {} |", line.query);
    let base = line.outcomes.first().and_then(|o| o.cost.as_ref().ok());
    for (index, outcome) in line.outcomes.iter().enumerate() {
        match &outcome.cost {
            Ok(cost) => {
                let rate = events as f64 / cost.seconds / 1000.0;
                let (memory, disk) = (cost.peak_bytes / 1_000_000, cost.disk_bytes / 1_000_000);
                let seconds = cost.seconds;
                let _ = write!(text, " {seconds:.2} | {rate:.0} | {memory} | {disk} |");
            }
            Err(_) => text.push_str(" failed | | | |"),
        }
        if index > 0 {
            match (base, &outcome.cost) {
                (Some(base), Ok(cost)) => {
                    let _ = write!(text, " {:.2} |", cost.seconds / base.seconds);
                }
                _ => text.push_str(" |"),
            }
        }
    }
    let output = line.verdict().unwrap_or_else(|reason| reason);
    let _ = writeln!(text, " {} |", output.replace('|', "\\|"));
    text
}

/// What failed and why, a line each; empty when nothing did.
pub fn failures(lines: &[Line]) -> String {
    let mut text = String::new();
    for line in lines {
        for outcome in &line.outcomes {
            if let Err(reason) = &outcome.cost {
                let _ = writeln!(text, "{}: {reason}", line.query);
            }
        }
        if let Err(reason) = line.verdict() {
            let _ = writeln!(text, "{}: {reason}", line.query);
        }
    }
    text
}
