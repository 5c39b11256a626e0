//! Operators over state that is damaged behind right checksums: an error or other results, never a
//! panic. No length in a row is believed before as many bytes are there, so that nothing allocates
//! more than a file has; the frame of state files is tried in `state/tests.rs`.

use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow::datatypes::SchemaRef;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::context;
use super::model::{self, Rows, batch_of};
use super::pipeline::MAX_PARALLELISM;
use crate::error::Result;
use crate::graph::{BackendKind, OperatorSpec};
use crate::key::KeyGroupRange;
use crate::memory::Memory;
use crate::operator::{Operator, OperatorContext, Output, build};
use crate::state::fixture::{Line, restored};
use crate::state::merge::{Entries, Entry};
use crate::state::{Resources, StateSetup, TableId, create, file};
use crate::time::EventTime;

mod subjects;
use subjects::subjects;

/// An operator and the state of one that has run.
struct Subject {
    name: String,
    spec: OperatorSpec,
    /// How many inputs it has, all of the same columns.
    inputs: usize,
    output: SchemaRef,
    state: Vec<Line>,
}

fn damage_bytes(bytes: &mut Vec<u8>, chance: &mut SmallRng) {
    let at = chance.random_range(0..bytes.len() + 1);
    match chance.random_range(0..5) {
        0 if at < bytes.len() => bytes[at] ^= 1 << chance.random_range(0..8),
        1 if at < bytes.len() => bytes[at] = chance.random(),
        2 => bytes.truncate(at),
        3 => bytes.extend((0..at + 1).map(|_| chance.random::<u8>())),
        // Lengths, times and counts at their limits.
        _ => {
            let limit = [i64::MIN, i64::MAX, -1, 0, i64::from(u32::MAX)][chance.random_range(0..5)];
            let limit = limit.to_be_bytes();
            let end = (at + 8).min(bytes.len());
            bytes[at..end].copy_from_slice(&limit[..end - at]);
        }
    }
}

fn damage(lines: &mut Vec<Line>, chance: &mut SmallRng) {
    for _ in 0..chance.random_range(1..4) {
        let (at, other) = (
            chance.random_range(0..lines.len()),
            chance.random_range(0..lines.len()),
        );
        match chance.random_range(0..8) {
            0 if lines.len() > 1 => drop(lines.remove(at)),
            1 => lines[at].0 = chance.random_range(0..7),
            2 => lines[at].3 = lines[other].3.clone(),
            3 => lines[at].2 = lines[other].2.clone(),
            4 => damage_bytes(&mut lines[at].2, chance),
            _ => damage_bytes(&mut lines[at].3, chance),
        }
    }
    lines.sort();
    lines.dedup_by(|a, b| (a.0, a.1, &a.2) == (b.0, b.1, &b.2));
}

/// Lines as the entries of a file.
struct Listed<'a> {
    lines: &'a [Line],
    next: usize,
}

impl Entries for Listed<'_> {
    fn advance(&mut self) -> Result<bool> {
        self.next += 1;
        Ok(self.next <= self.lines.len())
    }

    fn entry(&self) -> Entry<'_> {
        let (table, group, key, value) = &self.lines[self.next - 1];
        Entry {
            place: (TableId(*table), *group),
            key,
            value: Some(value),
        }
    }
}

/// Restores, and goes on until the end or the first error.
fn run(subject: &Subject, lines: &[Line], backend: BackendKind) -> Result<()> {
    let mut content = vec![];
    file::write(&mut Listed { lines, next: 0 }, &mut content)?;
    let scratch = tempfile::tempdir().unwrap();
    let range = KeyGroupRange::all(MAX_PARALLELISM);
    let state = create(StateSetup {
        kind: backend,
        key_groups: range,
        scratch: scratch.path(),
        checkpointed: true,
        restored: restored(&[content]),
        resources: &Resources::new(Memory::new(1 << 20)),
    })?;
    let context = OperatorContext {
        max_parallelism: MAX_PARALLELISM,
        key_groups: range,
        state: Some(state),
        memory: Memory::new(64).share(),
        ..context()
    };
    let inputs = vec![model::input(); subject.inputs];
    let mut operator = build(&subject.spec, &inputs, &subject.output, context)?;
    let mut random = Rows::new(2);
    let mut output = Output::default();
    for step in 4..7i64 {
        for input in 0..subject.inputs {
            let rows: Vec<_> = (0..12).map(|n| random.row(Some(step * 7 + n))).collect();
            operator.process(input, batch_of(&rows), 0, &mut output)?;
            give_all(operator.as_mut(), &mut output)?;
        }
        operator.watermark(step * 5, &mut output)?;
        give_all(operator.as_mut(), &mut output)?;
        operator.hand_over(&mut output)?;
        if let Some(state) = operator.state()? {
            state.take_delta();
        }
        output.drain().for_each(drop);
    }
    operator.watermark(EventTime::MAX, &mut output)?;
    give_all(operator.as_mut(), &mut output)?;
    operator.finish(&mut output)?;
    give_all(operator.as_mut(), &mut output)
}

/// Takes what an operator gives in parts.
fn give_all(operator: &mut dyn Operator, output: &mut Output) -> Result<()> {
    while operator.has_more() {
        operator.give_more(output)?;
        output.drain().for_each(drop);
    }
    Ok(())
}

#[test]
fn damaged_rows_behind_right_checksums_panic_no_operator() {
    let rounds = match std::env::var("LEVADA_SOAK").is_ok_and(|v| !v.is_empty() && v != "0") {
        true => 20_000,
        false => 150,
    };
    let mut refused = 0;
    let mut panics = vec![];
    for subject in subjects() {
        run(&subject, &subject.state, BackendKind::Memory).unwrap();
        for seed in 0..rounds {
            let mut lines = subject.state.clone();
            damage(&mut lines, &mut SmallRng::seed_from_u64(seed));
            let backend = match seed % 40 {
                0 => BackendKind::RocksDb,
                1 => BackendKind::Disk,
                _ => BackendKind::Memory,
            };
            let run = AssertUnwindSafe(|| run(&subject, &lines, backend));
            match catch_unwind(run) {
                Ok(outcome) => refused += u64::from(outcome.is_err()),
                Err(_) => panics.push((subject.name.clone(), seed)),
            }
        }
    }
    println!("{rounds} rounds for each operator, {refused} refused");
    assert!(refused > 0);
    assert_eq!(panics, []);
}
