//! What goes into the jobs whose processes die, and what must come out.

use std::collections::BTreeMap;
use std::io::{BufWriter, Write};
use std::path::Path;

const KEYS: usize = 40;
/// Of event time.
const EVENTS_PER_SECOND: usize = 100;
const WINDOW_SECONDS: usize = 10;

/// Numbered events: their keys, values and times follow from the number.
#[derive(Debug, Clone, Copy)]
pub struct Events {
    pub count: usize,
}

/// Count and sum of a key in a window, which begins at a second.
pub type Window = (usize, usize, usize, usize);
/// Count and sum by key.
pub type Totals = BTreeMap<usize, (usize, usize)>;

fn time(second: usize) -> String {
    let (hours, minutes) = (second / 3600, second / 60 % 60);
    format!("2026-01-01 {hours:02}:{minutes:02}:{:02}", second % 60)
}

/// The second of a time such as `2026-01-01 00:00:10.000`.
pub fn second(time: &str) -> usize {
    let part = |from: usize| -> usize {
        let digits = time.get(from..from + 2).and_then(|d| d.parse().ok());
        digits.unwrap_or_else(|| panic!("'{time}' is no time"))
    };
    assert!(time.starts_with("2026-01-01"), "'{time}' is another day");
    part(11) * 3600 + part(14) * 60 + part(17)
}

impl Events {
    fn second(number: usize) -> usize {
        number / EVENTS_PER_SECOND
    }

    fn key(number: usize) -> usize {
        number * 7 % KEYS
    }

    fn json(number: usize) -> String {
        let (k, ts) = (Self::key(number), time(Self::second(number)));
        format!("{{\"k\":{k},\"v\":{number},\"ts\":\"{ts}\"}}")
    }

    /// Writes them, dealt out to so many files.
    pub fn write_files(&self, folder: &Path, files: usize) {
        std::fs::create_dir_all(folder).unwrap();
        for file in 0..files {
            let path = folder.join(format!("{file}.json"));
            let mut out = BufWriter::new(std::fs::File::create(path).unwrap());
            for number in (file..self.count).step_by(files) {
                writeln!(out, "{}", Self::json(number)).unwrap();
            }
            out.flush().unwrap();
        }
    }

    /// Writes them to one file, each behind its key and a tab.
    pub fn write_keyed(&self, path: &Path) {
        let mut out = BufWriter::new(std::fs::File::create(path).unwrap());
        for number in 0..self.count {
            writeln!(out, "{}\t{}", Self::key(number), Self::json(number)).unwrap();
        }
        out.flush().unwrap();
    }

    /// All windows, sorted.
    pub fn windows(&self) -> Vec<Window> {
        let mut windows: BTreeMap<(usize, usize), (usize, usize)> = BTreeMap::new();
        for number in 0..self.count {
            let begin = Self::second(number) / WINDOW_SECONDS * WINDOW_SECONDS;
            let entry = windows.entry((Self::key(number), begin)).or_default();
            entry.0 += 1;
            entry.1 += number;
        }
        let row = |((key, begin), (n, s))| (key, begin, n, s);
        windows.into_iter().map(row).collect()
    }

    /// All totals.
    pub fn totals(&self) -> Totals {
        let mut totals = Totals::new();
        for number in 0..self.count {
            let entry = totals.entry(Self::key(number)).or_default();
            entry.0 += 1;
            entry.1 += number;
        }
        totals
    }
}

/// The query of windows of a table of events, as SQL.
pub fn windows_query(table: &str) -> String {
    format!(
        "SELECT k, CAST(window_start AS TIMESTAMP(0)), COUNT(*), SUM(v)
         FROM TABLE(TUMBLE(TABLE {table}, DESCRIPTOR(ts), INTERVAL '{WINDOW_SECONDS}' SECOND))
         GROUP BY window_start, window_end, k"
    )
}

/// The query of totals, as SQL.
pub const TOTALS_QUERY: &str = "SELECT k, COUNT(*), SUM(v) FROM events GROUP BY k";

/// The events in files as a table.
pub fn table_of_files(folder: &Path) -> String {
    format!(
        "CREATE TABLE events (k INT, v BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' SECOND)
         WITH ('connector' = 'filesystem', 'path' = '{}', 'format' = 'json');\n",
        folder.display()
    )
}

/// How the jobs run: many restarts, and checkpoints of this interval.
pub fn settings(checkpoints_ms: u32) -> String {
    format!(
        "SET 'execution.checkpointing.interval' = '{checkpoints_ms} ms';
         SET 'restart-strategy.type' = 'fixed-delay';
         SET 'restart-strategy.fixed-delay.attempts' = '100';
         SET 'restart-strategy.fixed-delay.delay' = '50 ms';
         SET 'parallelism.default' = '4';
         SET 'pipeline.batch-rows' = '100';\n"
    )
}

/// All that is wrong.
pub fn all(checks: Vec<Result<(), String>>) -> Result<(), String> {
    let wrong: Vec<String> = checks.into_iter().filter_map(Result::err).collect();
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(wrong.join("; ")),
    }
}

/// What is wrong with rows that must be exactly the `expected` ones, which are sorted.
pub fn compare<R: Ord + std::fmt::Debug>(
    what: &str,
    mut found: Vec<R>,
    expected: &[R],
) -> Result<(), String> {
    found.sort();
    if found == expected {
        return Ok(());
    }
    let (mut surplus, mut missing) = (Vec::new(), Vec::new());
    let (mut have, mut want) = (found.iter().peekable(), expected.iter().peekable());
    loop {
        let order = match (have.peek(), want.peek()) {
            (Some(have), Some(want)) => have.cmp(want),
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (None, None) => break,
        };
        match order {
            std::cmp::Ordering::Less => surplus.extend(have.next()),
            std::cmp::Ordering::Greater => missing.extend(want.next()),
            std::cmp::Ordering::Equal => {
                have.next();
                want.next();
            }
        }
    }
    Err(format!(
        "{what}: {} rows instead of {}: {} too many, such as {:?}; {} missing, such as {:?}",
        found.len(),
        expected.len(),
        surplus.len(),
        &surplus[..surplus.len().min(3)],
        missing.len(),
        &missing[..missing.len().min(3)],
    ))
}

#[test]
fn rows_that_come_twice_or_not_at_all_are_told() {
    assert_eq!(compare("rows", vec![3, 1, 2], &[1, 2, 3]), Ok(()));
    let wrong = compare("rows", vec![1, 1, 2, 5], &[1, 2, 3]).unwrap_err();
    assert_eq!(
        wrong,
        "rows: 4 rows instead of 3: 2 too many, such as [1, 5]; 1 missing, such as [3]"
    );
}

#[test]
fn what_is_expected_adds_up() {
    let events = Events { count: 2500 };
    let windows = events.windows();
    assert_eq!(windows.len(), 3 * KEYS);
    assert_eq!(windows.iter().map(|w| w.2).sum::<usize>(), 2500);
    let totals = events.totals();
    assert_eq!(totals.values().map(|t| t.1).sum::<usize>(), 2500 * 2499 / 2);
    assert_eq!(second(&format!("{}.000", time(20_001))), 20_001);
}
