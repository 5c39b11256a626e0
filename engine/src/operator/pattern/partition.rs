//! The rows of a partition, and the attempt to find a match among them.

use std::collections::VecDeque;
use std::ops::Range;

use super::automaton::START;
use super::memory::{Memory, Number};

/// Stands behind no other step.
pub(super) const FIRST_STEP: u32 = u32::MAX;

/// A row.
#[derive(Debug)]
pub(super) struct Row {
    /// Its number among those whose columns are kept.
    pub(super) number: u32,
    /// Rises with the rows of the partition.
    pub(super) id: u64,
    /// Its time, in milliseconds.
    pub(super) time: i64,
    /// The variables that it may be one of whatever was matched; of a row that is decided.
    pub(super) truth: u64,
    /// The values that conditions aggregate.
    pub(super) numbers: Box<[Number]>,
    /// Whether it is among those that are remembered.
    pub(super) linked: bool,
}

/// A run: rows from the beginning of the attempt on are mapped to variables in one way.
#[derive(Debug)]
pub(super) struct Thread {
    pub(super) state: u32,
    /// So many of the ways out of its state are preferred to the match that is found already.
    pub(super) ways: u32,
    /// The step that was taken last.
    pub(super) step: u32,
    pub(super) memory: Memory,
}

/// A row was taken for a variable.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    /// The one before.
    pub(super) before: u32,
    pub(super) variable: u8,
}

/// A match that is the result unless a run that is preferred comes to one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    pub(super) step: u32,
    /// The position behind its last row.
    pub(super) end: u64,
}

/// A partition. Positions count its rows from some row on, which is not the same after it was away.
#[derive(Debug, Default)]
pub(super) struct Partition {
    /// Whether its rows were taken up.
    pub(super) known: bool,
    rows: VecDeque<Row>,
    /// The position of the first row.
    first: u64,
    /// The position behind the last row of which it is known which variables it may be one of.
    decided: u64,
    /// Where the attempt begins.
    pub(super) start: u64,
    /// The row that runs take next.
    pub(super) next: u64,
    /// Those that are preferred come first. None before the first row.
    pub(super) threads: Vec<Thread>,
    /// The steps of all runs.
    pub(super) steps: Vec<Step>,
    pub(super) candidate: Option<Candidate>,
    /// How many matches there were.
    pub(super) matches: i64,
    /// When the attempt began, as the operator knows it.
    pub(super) counted_from: Option<i64>,
    /// What is written down of it.
    pub(super) noted: (i64, i64),
}

/// Of a partition of which nothing has to be known but its rows.
pub(super) const NO_NOTE: (i64, i64) = (0, 0);

impl Partition {
    pub(super) fn row(&self, position: u64) -> Option<&Row> {
        let at = position.checked_sub(self.first)?;
        self.rows.get(at as usize)
    }

    pub(super) fn rows(&self) -> &VecDeque<Row> {
        &self.rows
    }

    pub(super) fn push(&mut self, row: Row) {
        self.rows.push_back(row);
    }

    /// The row at a position, if it is decided.
    pub(super) fn decided(&self, position: u64) -> Option<&Row> {
        self.row(position).filter(|_| position < self.decided)
    }

    /// The positions of rows that can be decided: those that have so many rows behind them.
    pub(super) fn undecided(&self, looks_ahead: u64) -> Range<u64> {
        let end = self.first + self.rows.len() as u64;
        self.decided..end.saturating_sub(looks_ahead).max(self.decided)
    }

    /// Decides the first row that is not.
    pub(super) fn decide(&mut self, truth: u64) {
        let at = self.decided - self.first;
        if let Some(row) = self.rows.get_mut(at as usize) {
            row.truth = truth;
            self.decided += 1;
        }
    }

    /// Whether nothing but rows that are to come keeps runs from going on.
    pub(super) fn waits_for_rows(&self) -> bool {
        self.next >= self.decided && self.row(self.next).is_some()
    }

    /// The row that runs ask about, and its position.
    pub(super) fn asked(&self) -> (u64, Option<&Row>) {
        (self.next, self.row(self.next))
    }

    /// When the attempt began, if it has a row.
    pub(super) fn start_time(&self) -> Option<i64> {
        self.row(self.start).map(|row| row.time)
    }

    /// Begins to look for a match at a position.
    pub(super) fn restart(&mut self, start: u64) {
        self.start = start;
        self.next = start;
        self.threads.clear();
        self.steps.clear();
        self.candidate = None;
    }

    /// Forgets rows that are so far before the attempt that nothing asks for them.
    pub(super) fn forget(&mut self, looks_back: u64, gone: &mut Vec<(u32, bool)>) {
        while self.first + looks_back < self.start
            && let Some(row) = self.rows.pop_front()
        {
            gone.push((row.number, row.linked));
            self.first += 1;
        }
    }

    /// Marks the rows that are not remembered yet as such that are, and shows them.
    pub(super) fn link(&mut self, mut link: impl FnMut(&Row)) {
        for row in self.rows.iter_mut().rev() {
            if row.linked {
                break;
            }
            row.linked = true;
            link(row);
        }
    }

    /// What has to be known of the partition beside its rows: the id behind that of the last row before the attempt, or 0, and
    /// how many matches there were.
    pub(super) fn note(&self, counts: bool) -> (i64, i64) {
        let passed = self.start.checked_sub(1).and_then(|at| self.row(at));
        let matches = if counts { self.matches } else { 0 };
        (passed.map_or(0, |row| row.id as i64 + 1), matches)
    }

    /// The variables of the rows up to a step.
    pub(super) fn variables(&self, step: u32) -> Vec<u8> {
        let mut variables = Vec::new();
        let mut at = step;
        while let Some(step) = self.steps.get(at as usize) {
            variables.push(step.variable);
            at = step.before;
        }
        variables.reverse();
        variables
    }

    /// Roughly the memory in use.
    pub(super) fn size_bytes(&self) -> usize {
        self.rows.capacity() * size_of::<Row>()
            + self.steps.capacity() * size_of::<Step>()
            + self.threads.capacity() * size_of::<Thread>()
            + size_of::<Partition>()
    }
}

impl Thread {
    /// The run before the first row.
    pub(super) fn first(memory: Memory, ways: usize) -> Self {
        Thread {
            state: START,
            ways: ways as u32,
            step: FIRST_STEP,
            memory,
        }
    }
}
