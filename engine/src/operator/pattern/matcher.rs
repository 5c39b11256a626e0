//! Runs of the automaton over the rows of partitions.
//!
//! A partition has one attempt at a time, at the earliest row that no match has taken or passed over. All runs of
//! the attempt take row after row together, the preferred ones first; a run that comes to an end puts an end to
//! those behind it. When no run is left, the last match that was found is the result, and the next attempt begins
//! behind it, or at the next row if there was none; it goes through the rows that are there already again.

use std::collections::HashSet;

use datafusion::execution::TaskContext;

use super::automaton::{Automaton, START};
use super::conditions::{Conditions, Question};
use super::measures::{Match, Measures};
use super::memory::Memory;
use super::partition::{Candidate, Partition, Step, Thread};
use crate::element::Batch;
use crate::error::{EngineError, Result};
use crate::graph::{PatternSpec, Skip};
use crate::operator::keyed_rows::{NONE, Rows};

/// A partition has so many runs at most.
const MOST_RUNS: usize = 1 << 14;
/// From so many runs on equal ones are found by their hash.
const FEW_RUNS: usize = 16;
/// Matches with so many rows are told at a time.
const TELL_ROWS: usize = if cfg!(test) { 5 } else { 1 << 13 };

/// Finds matches.
pub(super) struct Matcher {
    automaton: Automaton,
    pub(super) conditions: Conditions,
    measures: Measures,
    skip: Skip,
    pub(super) within_ms: Option<i64>,
    /// So many rows before the attempt are kept.
    pub(super) looks_back: u64,
    /// So many rows must be known behind a row before runs take it.
    pub(super) looks_ahead: u64,
    /// For errors.
    names: Vec<String>,
}

/// What matching works on.
pub(super) struct Work<'a> {
    pub(super) partitions: &'a mut [Partition],
    pub(super) rows: &'a mut Rows,
    /// What has gone out.
    pub(super) output: &'a mut dyn FnMut(Batch),
    /// Rows that no partition has any more, and whether they are remembered.
    pub(super) gone: &'a mut Vec<(u32, bool)>,
    /// Until when event time is known to have come: attempts that began too long before are over.
    pub(super) until: i64,
    found: Vec<Match>,
    found_rows: usize,
}

impl<'a> Work<'a> {
    pub(super) fn new(
        partitions: &'a mut [Partition],
        rows: &'a mut Rows,
        output: &'a mut dyn FnMut(Batch),
        gone: &'a mut Vec<(u32, bool)>,
        until: i64,
    ) -> Self {
        Work {
            partitions,
            rows,
            output,
            gone,
            until,
            found: Vec::new(),
            found_rows: 0,
        }
    }
}

impl Matcher {
    pub(super) fn new(
        spec: &PatternSpec,
        output: &arrow::datatypes::SchemaRef,
        functions: &TaskContext,
    ) -> Result<Self> {
        let conditions = Conditions::new(spec, functions)?;
        let measures = Measures::new(spec, output)?;
        Ok(Matcher {
            automaton: Automaton::new(&spec.pattern),
            looks_back: conditions.looks_back.max(measures.looks_back),
            looks_ahead: spec.looks_ahead(),
            conditions,
            measures,
            skip: spec.skip,
            within_ms: spec.within_ms,
            names: spec.variables.iter().map(|v| v.name.clone()).collect(),
        })
    }

    /// Lets the runs of some partitions take all rows that there are, and gives the matches that are found.
    pub(super) fn advance(&self, active: &[u32], work: &mut Work<'_>) -> Result<()> {
        self.decide(active, work)?;
        match self.conditions.dynamic {
            0 => {
                for partition in active {
                    while self.prepare(*partition, work)? {
                        let own = &mut work.partitions[*partition as usize];
                        self.step(own, &[])?;
                    }
                }
            }
            _ => self.advance_together(active.to_vec(), work)?,
        }
        self.tell(work)
    }

    /// Finds out which variables rows may be one of, of those that have enough rows behind them or will never have more.
    fn decide(&self, active: &[u32], work: &mut Work<'_>) -> Result<()> {
        let ahead = if work.until == i64::MAX {
            0
        } else {
            self.looks_ahead
        };
        let partitions = &*work.partitions;
        let of = |partition: u32| {
            let undecided = partitions[partition as usize].undecided(ahead);
            undecided.map(move |position| (partition, position))
        };
        let undecided: Vec<(u32, u64)> = active.iter().copied().flat_map(of).collect();
        if undecided.is_empty() {
            return Ok(());
        }
        let find = |row: usize, shift: i64| {
            let (partition, position) = undecided[row];
            let position = position.checked_add_signed(shift);
            let found = position.and_then(|at| partitions[partition as usize].row(at));
            found.map_or(NONE, |row| row.number)
        };
        let truths = self.conditions.truths(undecided.len(), work.rows, &find)?;
        for ((partition, _), truth) in undecided.into_iter().zip(truths) {
            work.partitions[partition as usize].decide(truth);
        }
        Ok(())
    }

    /// A row of each partition at a time, so that conditions are asked about many rows at once.
    fn advance_together(&self, mut active: Vec<u32>, work: &mut Work<'_>) -> Result<()> {
        let variables = self.names.len();
        let mut questions: Vec<Vec<Question>> = vec![Vec::new(); variables];
        let mut answers: Vec<u64> = Vec::new();
        let mut first_answers: Vec<usize> = Vec::new();
        loop {
            let mut waiting = Vec::with_capacity(active.len());
            for partition in active {
                if self.prepare(partition, work)? {
                    waiting.push(partition);
                }
            }
            active = waiting;
            if active.is_empty() {
                return Ok(());
            }
            questions.iter_mut().for_each(Vec::clear);
            answers.clear();
            first_answers.clear();
            for partition in &active {
                first_answers.push(answers.len());
                let own = &work.partitions[*partition as usize];
                for (at, thread) in (0..).zip(&own.threads) {
                    let dynamic = self.wanted(thread) & self.conditions.dynamic;
                    for (variable, asked) in questions.iter_mut().enumerate() {
                        if dynamic >> variable & 1 == 1 {
                            asked.push(Question {
                                partition: *partition,
                                thread: at,
                                answer: answers.len() as u32,
                            });
                        }
                    }
                    answers.push(0);
                }
            }
            for (variable, asked) in questions.iter().enumerate() {
                if !asked.is_empty() {
                    let (all, rows) = (&*work.partitions, &mut *work.rows);
                    self.conditions
                        .ask(variable as u8, asked, all, rows, &mut answers)?;
                }
            }
            for (partition, first) in active.iter().zip(&first_answers) {
                let own = &mut work.partitions[*partition as usize];
                let count = own.threads.len();
                self.step(own, &answers[*first..first + count])?;
            }
        }
    }

    /// The variables that the next row of a run may be one of.
    fn wanted(&self, thread: &Thread) -> u64 {
        let ways = &self.automaton.state(thread.state).next[..thread.ways as usize];
        let variable = |way: &u32| 1u64 << self.automaton.state(*way).variable;
        ways.iter().map(variable).fold(0, |all, one| all | one)
    }

    /// Comes to the next row that runs have to take; false if there is none yet.
    fn prepare(&self, partition: u32, work: &mut Work<'_>) -> Result<bool> {
        loop {
            let own = &mut work.partitions[partition as usize];
            let begun = own.next > own.start;
            if begun && own.threads.is_empty() {
                self.conclude(partition, work)?;
                continue;
            }
            let Some(start_time) = own.start_time() else {
                return Ok(false);
            };
            let Some(row) = own.row(own.next) else {
                if self.is_over(start_time, work.until) {
                    self.conclude(partition, work)?;
                    continue;
                }
                return Ok(false);
            };
            if begun
                && self
                    .within_ms
                    .is_some_and(|within| row.time - start_time >= within)
            {
                self.conclude(partition, work)?;
                continue;
            }
            let Some(row) = own.decided(own.next) else {
                return Ok(false);
            };
            if !begun {
                let possible = row.truth | self.conditions.dynamic;
                if possible & self.automaton.first == 0 {
                    own.restart(own.start + 1);
                    own.forget(self.looks_back, work.gone);
                    continue;
                }
                let ways = self.automaton.state(START).next.len();
                let first = Thread::first(self.conditions.layout.blank(), ways);
                own.threads.push(first);
            }
            return Ok(true);
        }
    }

    /// Whether an attempt that began then gets no more rows.
    fn is_over(&self, start_time: i64, until: i64) -> bool {
        let within = self.within_ms.unwrap_or(i64::MAX);
        until == i64::MAX || start_time.saturating_add(within) <= until && within < i64::MAX
    }

    /// All runs of a partition take its next row.
    fn step(&self, own: &mut Partition, answers: &[u64]) -> Result<()> {
        let position = own.next;
        own.next += 1;
        let threads = std::mem::take(&mut own.threads);
        let Some(row) = own.row(position) else {
            return Err(EngineError::internal("runs took a row that there is not"));
        };
        let mut after = After::default();
        let mut steps = Vec::new();
        let mut candidate = None;
        let base = own.steps.len() as u32;
        'runs: for (at, thread) in threads.iter().enumerate() {
            let truth = row.truth | answers.get(at).copied().unwrap_or(0);
            let ways = &self.automaton.state(thread.state).next[..thread.ways as usize];
            for way in ways {
                let state = self.automaton.state(*way);
                if truth >> state.variable & 1 == 0 {
                    continue;
                }
                let memory = match self.conditions.layout.is_empty() {
                    true => Memory::default(),
                    false => self.conditions.layout.after(
                        &thread.memory,
                        state.variable,
                        position,
                        &row.numbers,
                    )?,
                };
                if after.has(*way, &memory) {
                    continue;
                }
                let step = base + steps.len() as u32;
                steps.push(Step {
                    before: thread.step,
                    variable: state.variable,
                });
                after.push(Thread {
                    state: *way,
                    ways: state.next.len() as u32,
                    step,
                    memory,
                });
                if state.ends {
                    let end = position + 1;
                    candidate = Some(Candidate { step, end });
                    break 'runs;
                }
            }
        }
        after.threads.retain(|thread| thread.ways > 0);
        if after.threads.len() > MOST_RUNS {
            return Err(too_many());
        }
        own.threads = after.threads;
        own.steps.extend(steps);
        own.candidate = candidate.or(own.candidate);
        Ok(())
    }

    /// Puts an end to an attempt.
    fn conclude(&self, partition: u32, work: &mut Work<'_>) -> Result<()> {
        let own = &mut work.partitions[partition as usize];
        let start = own.start;
        let next = match own.candidate {
            None => start + 1,
            Some(candidate) => {
                own.matches += 1;
                let variables = own.variables(candidate.step);
                let next = self.behind(&variables, start, candidate.end)?;
                let before = start.saturating_sub(self.looks_back);
                let last = candidate.end + self.looks_ahead;
                let rows = (before..last).map_while(|at| own.row(at));
                let rows: Vec<u32> = rows.map(|row| row.number).collect();
                work.found_rows += variables.len();
                work.found.push(Match {
                    before: (start - before) as usize,
                    rows,
                    variables,
                    number: own.matches,
                });
                next
            }
        };
        own.restart(next);
        own.forget(self.looks_back, work.gone);
        match work.found_rows >= TELL_ROWS {
            true => self.tell(work),
            false => Ok(()),
        }
    }

    /// Where the next attempt begins.
    fn behind(&self, variables: &[u8], start: u64, end: u64) -> Result<u64> {
        let is = |set: u64| move |variable: &u8| set >> *variable & 1 == 1;
        let (set, found) = match self.skip {
            Skip::PastLastRow => return Ok(end),
            Skip::ToNextRow => return Ok(start + 1),
            Skip::ToFirst(set) => (set, variables.iter().position(is(set))),
            Skip::ToLast(set) => (set, variables.iter().rposition(is(set))),
        };
        let names = self.names.iter().enumerate();
        let names = names.filter(|(at, _)| set >> at & 1 == 1);
        let names: Vec<&str> = names.map(|(_, name)| name.as_str()).collect();
        let name = names.join(", ");
        match found {
            Some(0) => Err(EngineError::data(format!(
                "AFTER MATCH SKIP TO {name} goes back to the first row of a match, which would be found again for ever"
            ))
            .with_hint("skip to a variable that comes behind the first row, or TO NEXT ROW")),
            Some(at) => Ok(start + at as u64),
            None => Err(EngineError::data(format!(
                "AFTER MATCH SKIP TO {name}: a match has no row of it"
            ))
            .with_hint("skip to a variable that every match has")),
        }
    }

    /// Gives what was found.
    fn tell(&self, work: &mut Work<'_>) -> Result<()> {
        let found = std::mem::take(&mut work.found);
        work.found_rows = 0;
        if let Some(batch) = self.measures.tell(&found, work.rows)? {
            (work.output)(batch);
        }
        Ok(())
    }
}

/// Runs behind a row, each once.
#[derive(Default)]
struct After {
    threads: Vec<Thread>,
    known: HashSet<(u32, Memory)>,
}

impl After {
    fn has(&mut self, state: u32, memory: &Memory) -> bool {
        if self.threads.len() < FEW_RUNS {
            let same = |thread: &Thread| thread.state == state && thread.memory == *memory;
            return self.threads.iter().any(same);
        }
        if self.known.is_empty() {
            let known = self.threads.iter();
            self.known = known.map(|t| (t.state, t.memory.clone())).collect();
        }
        !self.known.insert((state, memory.clone()))
    }

    fn push(&mut self, thread: Thread) {
        self.threads.push(thread);
    }
}

fn too_many() -> EngineError {
    EngineError::resource(format!(
        "more than {MOST_RUNS} ways to match the rows of one partition are open"
    ))
    .with_hint(
        "the pattern is ambiguous, and its conditions are about what was matched: let fewer variables be true of a row, \
         or bound it by WITHIN",
    )
}
