//! A keyed operator as a job runs it: behind a local phase or not, as several subtasks, stopped and
//! restored with other subtasks on another backend, its output checked for being a valid changelog.

use std::collections::BTreeMap;

use arrow::array::{ArrayRef, UInt32Array};

use super::{context, lines};
use crate::element::Batch;
use crate::graph::{BackendKind, OperatorSpec};
use crate::key::{KeyGroupRange, hash_keys, key_group, owner};
use crate::memory::Memory;
use crate::operator::{
    Layout, Operator, OperatorContext, Output, build, continuity, needs_state, restored_layouts,
};
use crate::state::fixture::{entries_of, file_of, restored};
use crate::state::{self, Resources, StateSetup};
use crate::time::EventTime;

use arrow::datatypes::SchemaRef;

pub(crate) const MAX_PARALLELISM: u32 = 16;

/// Some subtasks of a global phase behind one local phase.
pub(crate) struct Pipeline {
    local: Option<(OperatorSpec, SchemaRef)>,
    global: OperatorSpec,
    input: SchemaRef,
    output: SchemaRef,
    /// The columns that route rows to the global phase.
    keys: Vec<usize>,
    /// More inputs of the global phase, with the columns that route their rows.
    more: Vec<(SchemaRef, Vec<usize>)>,
    local_operator: Option<Box<dyn Operator>>,
    subtasks: Vec<Box<dyn Operator>>,
    scratch: Vec<tempfile::TempDir>,
    /// The state files of all checkpoints so far.
    files: Vec<Vec<u8>>,
    /// The layouts that rows in them may have.
    layouts: Vec<Layout>,
    /// The rows that the output adds up to, with how often each is there.
    result: BTreeMap<String, i64>,
    /// Every line of output.
    pub(crate) lines: Vec<String>,
    pub(crate) metrics: std::sync::Arc<crate::metrics::SubtaskMetrics>,
    pub(crate) now_ms: i64,
    /// The most rows that came out of one call.
    pub(crate) largest_output: usize,
    /// The memory of each subtask's share.
    pub(crate) memory_bytes: u64,
    upsert_keys: Option<usize>,
}

impl Pipeline {
    /// `local` comes with the schema of its partial rows.
    pub(crate) fn new(
        local: Option<(OperatorSpec, SchemaRef)>,
        global: OperatorSpec,
        input: SchemaRef,
        output: SchemaRef,
        keys: Vec<usize>,
    ) -> Self {
        let mut pipeline = Self::not_started(local, global, input, output, keys);
        pipeline.start(1, BackendKind::Memory, &[]);
        pipeline
    }

    /// One of an operator of two inputs, each with the columns that route its rows.
    pub(crate) fn of_two(
        spec: OperatorSpec,
        [first, second]: [(SchemaRef, Vec<usize>); 2],
        output: SchemaRef,
    ) -> Self {
        Self::of_several(spec, first, vec![second], output)
    }

    /// The same of several inputs.
    pub(crate) fn of_several(
        spec: OperatorSpec,
        first: (SchemaRef, Vec<usize>),
        more: Vec<(SchemaRef, Vec<usize>)>,
        output: SchemaRef,
    ) -> Self {
        let mut pipeline = Self::not_started(None, spec, first.0, output, first.1);
        pipeline.more = more;
        pipeline.start(1, BackendKind::Memory, &[]);
        pipeline
    }

    fn not_started(
        local: Option<(OperatorSpec, SchemaRef)>,
        global: OperatorSpec,
        input: SchemaRef,
        output: SchemaRef,
        keys: Vec<usize>,
    ) -> Self {
        Pipeline {
            local,
            global,
            input,
            output,
            keys,
            more: vec![],
            local_operator: None,
            subtasks: vec![],
            scratch: vec![],
            files: vec![],
            layouts: vec![],
            result: BTreeMap::new(),
            lines: vec![],
            metrics: Default::default(),
            now_ms: 0,
            largest_output: 0,
            // So little that every batch overflows, where state can.
            memory_bytes: 64,
            upsert_keys: None,
        }
    }

    /// Expects an output without update-before rows; rows with equal values in the first `keys`
    /// columns replace one another.
    pub(crate) fn upsert(mut self, keys: usize) -> Self {
        self.upsert_keys = Some(keys);
        self
    }

    fn start(&mut self, parallelism: u32, backend: BackendKind, files: &[Vec<u8>]) {
        let inner = match &self.local {
            Some((spec, schema)) => {
                let operator = build(
                    spec,
                    std::slice::from_ref(&self.input),
                    schema,
                    self.context(),
                )
                .unwrap();
                self.local_operator = Some(operator);
                schema.clone()
            }
            None => self.input.clone(),
        };
        self.subtasks.clear();
        self.scratch.clear();
        let more = self.more.iter().map(|(schema, _)| schema.clone());
        let inputs: Vec<SchemaRef> = std::iter::once(inner).chain(more).collect();
        for index in 0..parallelism {
            let range = KeyGroupRange::of_subtask(index, parallelism, MAX_PARALLELISM);
            let dir = tempfile::tempdir().unwrap();
            let state = state::create(StateSetup {
                kind: backend,
                key_groups: range,
                scratch: dir.path(),
                checkpointed: true,
                restored: restored(files),
                resources: &Resources::new(Memory::new(1 << 20)),
            });
            let state = state.unwrap();
            self.scratch.push(dir);
            let context = OperatorContext {
                index,
                parallelism,
                key_groups: range,
                state: needs_state(&self.global).then_some(state),
                layouts: self.layouts.clone(),
                memory: Memory::new(self.memory_bytes).share(),
                ..self.context()
            };
            let operator = build(&self.global, &inputs, &self.output, context).unwrap();
            self.subtasks.push(operator);
        }
        let found = continuity(&self.global, &self.layouts, self.now_ms).unwrap();
        assert!(found.unusable.is_empty(), "{:?}", found.unusable);
        self.layouts = found.layouts;
    }

    fn context(&self) -> OperatorContext {
        OperatorContext {
            max_parallelism: MAX_PARALLELISM,
            metrics: self.metrics.clone(),
            batch_rows: 7,
            now_ms: self.now_ms,
            ..context()
        }
    }

    /// Sends rows through.
    pub(crate) fn process(&mut self, batch: Batch) {
        let mut output = Output::default();
        let now_ms = self.now_ms;
        match &mut self.local_operator {
            Some(local) => local.process(0, batch, now_ms, &mut output).unwrap(),
            None => output.emit(batch),
        }
        self.route(output);
    }

    /// Sends rows of the second input through.
    pub(crate) fn process_second(&mut self, batch: Batch) {
        self.route_to(1, batch);
    }

    /// Sends rows of an input of the global phase through.
    pub(crate) fn process_input(&mut self, input: usize, batch: Batch) {
        self.route_to(input, batch);
    }

    fn route(&mut self, mut inner: Output) {
        for batch in inner.drain() {
            self.route_to(0, batch);
        }
    }

    fn route_to(&mut self, input: usize, batch: Batch) {
        {
            let more = input.checked_sub(1).and_then(|at| self.more.get(at));
            let keys = more.map_or(&self.keys, |(_, keys)| keys);
            let keys: Vec<ArrayRef> = keys.iter().map(|k| batch.column(*k).clone()).collect();
            let mut hashes = vec![];
            hash_keys(&keys, batch.num_rows(), &mut hashes).unwrap();
            let parallelism = self.subtasks.len() as u32;
            for index in 0..parallelism {
                let rows: Vec<u32> = (0..batch.num_rows() as u32)
                    .filter(|row| {
                        let group = key_group(hashes[*row as usize], MAX_PARALLELISM);
                        let to = owner(group, MAX_PARALLELISM, parallelism);
                        index == if keys.is_empty() { 0 } else { to }
                    })
                    .collect();
                if !rows.is_empty() {
                    let part = batch.take(&UInt32Array::from(rows)).unwrap();
                    self.call(index, |operator, now_ms, output| {
                        operator.process(input, part, now_ms, output)
                    });
                }
            }
        }
    }

    fn call(
        &mut self,
        index: u32,
        call: impl FnOnce(&mut dyn Operator, i64, &mut Output) -> crate::error::Result<()>,
    ) {
        let mut output = Output::default();
        let operator = self.subtasks[index as usize].as_mut();
        call(operator, self.now_ms, &mut output).unwrap();
        self.take(&mut output);
        while self.subtasks[index as usize].has_more() {
            let operator = self.subtasks[index as usize].as_mut();
            operator.give_more(&mut output).unwrap();
            self.take(&mut output);
        }
    }

    fn take(&mut self, output: &mut Output) {
        let mut rows = 0;
        for batch in output.drain() {
            assert_eq!(batch.schema().fields(), self.output.fields());
            // A window of so many rows is never taken apart.
            let whole = matches!(self.global, OperatorSpec::CountWindow(_));
            assert!(batch.num_rows() <= 7 || batch.kinds().is_some() || whole);
            rows += batch.num_rows();
            for line in lines(&batch) {
                self.apply(line);
            }
        }
        self.largest_output = self.largest_output.max(rows);
    }

    fn apply(&mut self, line: String) {
        let (kind, row) = line.split_at(2);
        let row = row.to_string();
        if let Some(keys) = self.upsert_keys {
            assert_ne!(kind, "-U", "no update-before was asked for");
            let key: Vec<&str> = row.split('|').take(keys + 1).collect();
            let key = key.join("|");
            let had = self.result.len();
            self.result
                .retain(|r, _| !(r.starts_with(&format!("{key}|")) || *r == key));
            let replaced = self.result.len() < had;
            assert_eq!(
                replaced,
                kind != "+I",
                "{line} after a row of its key: {replaced}"
            );
            if kind != "-D" {
                self.result.insert(row, 1);
            }
        } else if kind.starts_with('+') {
            *self.result.entry(row).or_default() += 1;
        } else {
            if !self.result.contains_key(&row) {
                let there = self.result.keys();
                panic!(
                    "{line} takes back what is not in {:#?}",
                    there.collect::<Vec<_>>()
                );
            }
            let count = self.result.entry(row.clone()).or_default();
            *count -= 1;
            if *count == 0 {
                self.result.remove(&row);
            }
        }
        self.lines.push(line);
    }

    /// Moves event time.
    pub(crate) fn watermark(&mut self, watermark: EventTime) {
        if let Some(local) = &mut self.local_operator {
            let mut output = Output::default();
            local.watermark(watermark, &mut output).unwrap();
            self.route(output);
        }
        for index in 0..self.subtasks.len() as u32 {
            self.watermark_of(index, watermark);
        }
    }

    /// Moves event time of one subtask of the global phase, as between unaligned barriers.
    pub(crate) fn watermark_of(&mut self, subtask: u32, watermark: EventTime) {
        self.call(subtask, |operator, _, output| {
            operator.watermark(watermark, output)
        });
    }

    /// How far event time has come behind the operator when it has come to `watermark` in front of it.
    pub(crate) fn output_watermark(&self, watermark: EventTime) -> EventTime {
        let subtasks = self.subtasks.iter();
        let behind = subtasks.map(|subtask| subtask.output_watermark(watermark));
        behind.min().unwrap_or(watermark)
    }

    /// What the working sets hold.
    pub(crate) fn held_bytes(&self) -> usize {
        self.subtasks.iter().map(|s| s.memory_bytes()).sum()
    }

    /// Moves processing time and calls the timers that are due.
    pub(crate) fn advance_clock(&mut self, now_ms: i64) {
        self.now_ms = now_ms;
        for index in 0..self.subtasks.len() as u32 {
            let deadline = self.subtasks[index as usize].deadline_ms();
            if deadline.is_some_and(|at| at <= now_ms) {
                self.call(index, |operator, now_ms, output| {
                    operator.timer(now_ms, output)
                });
            }
        }
    }

    /// A barrier: what has changed in every subtask, behind what had before.
    pub(crate) fn checkpoint(&mut self) -> Vec<Vec<u8>> {
        if let Some(local) = &mut self.local_operator {
            let mut output = Output::default();
            local.hand_over(&mut output).unwrap();
            self.route(output);
        }
        for index in 0..self.subtasks.len() as u32 {
            self.call(index, |operator, _, output| operator.hand_over(output));
            if let Some(state) = self.subtasks[index as usize].state().unwrap() {
                self.files.push(file_of(state.take_delta()));
            }
        }
        self.files.clone()
    }

    /// The layouts that rows of state may have.
    pub(crate) fn layouts(&self) -> &[Layout] {
        &self.layouts
    }

    /// Stops at a barrier and goes on as so many subtasks.
    pub(crate) fn rescale(&mut self, parallelism: u32, backend: BackendKind) {
        let files = self.checkpoint();
        self.start(parallelism, backend, &files);
    }

    /// Stops at a barrier and goes on as another query, so many subtasks wide. Groups that its rows
    /// do not touch keep what they were; `baseline` is what all of them would be now.
    pub(crate) fn edit(
        &mut self,
        other: Pipeline,
        parallelism: u32,
        backend: BackendKind,
        baseline: Vec<String>,
    ) {
        let files = self.checkpoint();
        self.local = other.local;
        self.global = other.global;
        self.input = other.input;
        self.output = other.output;
        self.result.clear();
        for row in baseline {
            *self.result.entry(format!(" | {row}")).or_default() += 1;
        }
        self.start(parallelism, backend, &files);
    }

    /// Stops at a barrier, makes all rows of state as they were before rows named their layout, and
    /// goes on from that.
    pub(crate) fn go_on_from_unnamed(&mut self, parallelism: u32, backend: BackendKind) {
        let files = self.checkpoint();
        let mut state = state::create(StateSetup {
            kind: BackendKind::Memory,
            key_groups: KeyGroupRange::all(MAX_PARALLELISM),
            scratch: std::path::Path::new("unused"),
            checkpointed: true,
            restored: state::Restored::default(),
            resources: &Resources::new(Memory::new(1 << 20)),
        })
        .unwrap();
        for (table, group, key, mut value) in entries_of(&files) {
            if table > 0 {
                value.remove(0);
            }
            let change = state::Change {
                group,
                key: &key,
                value: Some(&value),
            };
            let table = state::TableId(table);
            state.apply(table, &mut std::iter::once(change)).unwrap();
        }
        self.files = vec![file_of(state.take_delta())];
        self.layouts = restored_layouts(&self.global, &[], true).unwrap();
        let files = self.files.clone();
        self.start(parallelism, backend, &files);
    }

    /// Ends the input and returns what the output adds up to: one line per row.
    pub(crate) fn finish(mut self) -> Vec<String> {
        self.watermark(EventTime::MAX);
        if let Some(local) = &mut self.local_operator {
            let mut output = Output::default();
            local.finish(&mut output).unwrap();
            self.route(output);
        }
        for index in 0..self.subtasks.len() as u32 {
            self.call(index, |operator, _, output| operator.finish(output));
        }
        self.result()
    }

    /// What the output adds up to so far.
    pub(crate) fn result(&self) -> Vec<String> {
        let rows = self.result.iter();
        rows.flat_map(|(row, count)| {
            assert!(*count > 0, "{row} is there {count} times");
            std::iter::repeat_n(
                row.strip_prefix(" | ").unwrap_or(row).to_string(),
                *count as usize,
            )
        })
        .collect()
    }
}
