//! The head of a chain that reads: a connector's source, or VALUES; computed columns, watermarks
//! and late rows.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute;
use arrow::datatypes::SchemaRef;
use futures::FutureExt;

use super::chain::{Chain, Event};
use super::splits::{Cut, Splits, cut, milliseconds};
use crate::connector::{Source, SourceEvent, SplitState};
use crate::element::{Batch, rows_of};
use crate::error::{EngineError, Result};
use crate::expression::{Evaluator, Projection};
use crate::graph::OutputPort;
use crate::time::{EventTime, MAX_WATERMARK, MIN_WATERMARK};

/// Under load, the least time between two watermarks, in milliseconds.
const WATERMARK_INTERVAL_MS: i64 = 10;

/// The source of a subtask.
pub(super) struct SourceDriver {
    pub uid: String,
    pub name: String,
    source: Box<dyn Source>,
    schema: SchemaRef,
    compute: Option<Projection>,
    time: Option<TimeDriver>,
    splits: Splits,
    divert_late: bool,
    /// Others have been told not to wait for this source.
    silent: bool,
    end: End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Open,
    /// Stopped by a user: nothing more is read, and time stands still.
    Stopped,
    /// The input has ended and everything behind it knows.
    Ended,
}

/// How rows imply watermarks.
pub(super) struct TimeDriver {
    pub column: usize,
    pub expression: Evaluator,
    pub max_drift_ms: Option<i64>,
    pub announced: EventTime,
    pub announced_at_ms: i64,
    pub paused: Vec<Arc<str>>,
}

impl TimeDriver {
    pub fn new(column: usize, expression: Evaluator, max_drift_ms: Option<i64>) -> Self {
        TimeDriver {
            column,
            expression,
            max_drift_ms,
            announced: MIN_WATERMARK,
            announced_at_ms: 0,
            paused: Vec::new(),
        }
    }
}

/// What a driver is made of.
pub(super) struct SourceParts {
    pub uid: String,
    pub name: String,
    pub source: Box<dyn Source>,
    pub schema: SchemaRef,
    pub compute: Option<Projection>,
    pub time: Option<TimeDriver>,
    pub idle_timeout_ms: u64,
    pub bounded: bool,
    pub divert_late: bool,
}

impl SourceDriver {
    /// Opens the source; `restored` are the positions of all subtasks.
    pub async fn open(
        parts: SourceParts,
        restored: Option<&[SplitState]>,
        now_ms: i64,
    ) -> Result<Self> {
        let SourceParts {
            uid,
            name,
            mut source,
            schema,
            compute,
            time,
            ..
        } = parts;
        let found = source.open().await.map_err(|e| e.at(&name))?;
        let mut splits = Splits::new(parts.idle_timeout_ms, parts.bounded);
        let of = |split: &str| {
            restored
                .unwrap_or_default()
                .iter()
                .find(|s| s.split == split)
        };
        for split in found {
            let watermark = of(&split).and_then(|s| s.watermark);
            splits.add(split.into(), watermark, now_ms);
        }
        Ok(SourceDriver {
            uid,
            name,
            source,
            schema,
            compute,
            time,
            splits,
            divert_late: parts.divert_late,
            silent: false,
            end: End::Open,
        })
    }

    /// Whether the input has ended.
    pub fn has_ended(&self) -> bool {
        self.end == End::Ended
    }

    /// Reads nothing more.
    pub fn stop(&mut self) {
        if self.end == End::Open {
            self.end = End::Stopped;
        }
    }

    /// Reads nothing more, and tells everything behind that this was all.
    pub fn drain(&mut self, chain: &mut Chain) -> Result<()> {
        match self.end {
            End::Open => self.handle(SourceEvent::End, chain),
            End::Stopped | End::Ended => Ok(()),
        }
    }

    /// Takes what is there without waiting; false if there is nothing.
    pub fn step(&mut self, chain: &mut Chain) -> Result<bool> {
        if self.end != End::Open {
            return Ok(false);
        }
        if let Some(watermark) = self.splits.check_idle(chain.clock.now_ms()) {
            self.announce(watermark, chain)?;
        }
        match self.source.next().now_or_never() {
            Some(event) => {
                let event = event.map_err(|e| e.at(&self.name))?;
                self.handle(event, chain)?;
                Ok(true)
            }
            None => {
                // Nobody needs to wait for a watermark that is known.
                self.announce(self.splits.merger.current(), chain)?;
                if self.splits.nobody_speaks() && !self.silent {
                    self.silent = true;
                    chain.emit(0, OutputPort::Main, Event::Idle)?;
                }
                Ok(false)
            }
        }
    }

    /// Waits for the next event. Cancel-safe.
    pub async fn next(&mut self) -> Result<SourceEvent> {
        match self.end {
            End::Open => self.source.next().await.map_err(|e| e.at(&self.name)),
            _ => std::future::pending().await,
        }
    }

    /// In how many milliseconds a silent split becomes idle.
    pub fn timeout_ms(&self, now_ms: i64) -> Option<i64> {
        match self.end {
            End::Open => self.splits.idle_in_ms(now_ms),
            _ => None,
        }
    }

    /// The positions of all splits for a checkpoint, with their watermarks.
    pub fn checkpoint(&mut self, checkpoint_id: u64) -> Result<Vec<SplitState>> {
        let mut positions = self.source.checkpoint(checkpoint_id)?;
        for position in &mut positions {
            let watermark = self.splits.merger.of(&Arc::from(position.split.as_str()));
            position.watermark = watermark.filter(|w| *w != MIN_WATERMARK);
        }
        Ok(positions)
    }

    /// A checkpoint is complete.
    pub async fn checkpoint_complete(&mut self, checkpoint_id: u64) -> Result<()> {
        self.source
            .checkpoint_complete(checkpoint_id)
            .await
            .map_err(|e| e.at(&self.name))
    }

    /// Passes an event on.
    pub fn handle(&mut self, event: SourceEvent, chain: &mut Chain) -> Result<()> {
        match event {
            SourceEvent::Rows { split, batch } => {
                self.splits.touch(&split, chain.clock.now_ms());
                self.rows(&split, batch, chain)
            }
            SourceEvent::Bad { rows } => {
                chain.metrics.bad_rows.add(rows.num_rows() as u64);
                chain.emit(0, OutputPort::Bad, Event::Batch(Batch::inserts(rows)))
            }
            SourceEvent::SplitAdded(split) => {
                self.splits.add(split, None, chain.clock.now_ms());
                Ok(())
            }
            SourceEvent::SplitFinished(split) => {
                let moved = self.splits.finish(&split);
                self.align();
                // The end of the last split is announced together with the end of the input.
                match moved.filter(|w| *w != MAX_WATERMARK) {
                    Some(watermark) => self.announce(watermark, chain),
                    None => Ok(()),
                }
            }
            SourceEvent::End => {
                self.end = End::Ended;
                chain.emit(0, OutputPort::Main, Event::Watermark(MAX_WATERMARK))?;
                chain.emit(0, OutputPort::Main, Event::End)
            }
        }
    }

    fn rows(&mut self, split: &Arc<str>, batch: Batch, chain: &mut Chain) -> Result<()> {
        if std::mem::take(&mut self.silent) {
            // Wait for this source again, from where it stands.
            let announced = self.time.as_ref().map_or(MIN_WATERMARK, |t| t.announced);
            chain.emit(0, OutputPort::Main, Event::Watermark(announced))?;
        }
        chain.metrics.rows_in.add(batch.num_rows() as u64);
        chain.metrics.batches_in.add(1);
        chain.metrics.bytes_in.add(batch.byte_size() as u64);
        let batch = self.computed(batch)?;
        let Some(time) = &self.time else {
            return chain.emit(0, OutputPort::Main, Event::Batch(batch));
        };
        let times = milliseconds(batch.column(time.column))?;
        let marks = milliseconds(&time.expression.evaluate(batch.rows())?)?;
        let before = self.splits.merger.of(split).unwrap_or(MIN_WATERMARK);
        let Cut {
            pieces,
            late,
            watermark,
        } = cut(&times, &marks, before);
        if late.is_some() {
            // What batches before this one say may not have gone out yet.
            self.announce(self.splits.merger.current(), chain)?;
        }
        for piece in pieces {
            let rows = batch.slice(piece.offset, piece.length);
            let late = late.as_ref().map(|l| l.slice(piece.offset, piece.length));
            self.piece(rows, late, chain)?;
            if let Some(cut) = piece.cut
                && let Some(merged) = self.splits.merger.advance(split, cut)
            {
                self.announce(merged, chain)?;
            }
        }
        if let Some(merged) = self.splits.merger.advance(split, watermark) {
            self.announce_some_time(merged, chain)?;
        }
        self.align();
        Ok(())
    }

    fn piece(&self, rows: Batch, late: Option<BooleanArray>, chain: &mut Chain) -> Result<()> {
        let (Some(late), true) = (late, self.divert_late) else {
            return chain.emit(0, OutputPort::Main, Event::Batch(rows));
        };
        let diverted = rows.filter(&late)?;
        chain.metrics.late_rows.add(diverted.num_rows() as u64);
        let kept = rows.filter(&compute::not(&late)?)?;
        for (port, rows) in [(OutputPort::Late, diverted), (OutputPort::Main, kept)] {
            if !rows.is_empty() {
                chain.emit(0, port, Event::Batch(rows))?;
            }
        }
        Ok(())
    }

    fn computed(&self, batch: Batch) -> Result<Batch> {
        let Some(compute) = &self.compute else {
            return Ok(batch);
        };
        let columns = compute.evaluate(batch.rows(), None);
        let columns = columns.map_err(|e| e.at(&self.name))?;
        let rows = rows_of(&self.schema, columns, batch.num_rows())?;
        Ok(batch.replace_rows(rows))
    }

    /// Announces a watermark unless one went out just now; it goes out when the input runs dry or
    /// a late row needs it in front.
    fn announce_some_time(&mut self, watermark: EventTime, chain: &mut Chain) -> Result<()> {
        let now = chain.clock.now_ms();
        match &self.time {
            Some(time) if now - time.announced_at_ms < WATERMARK_INTERVAL_MS => Ok(()),
            _ => self.announce(watermark, chain),
        }
    }

    fn announce(&mut self, watermark: EventTime, chain: &mut Chain) -> Result<()> {
        let Some(time) = &mut self.time else {
            return Ok(());
        };
        if watermark <= time.announced {
            return Ok(());
        }
        time.announced = watermark;
        time.announced_at_ms = chain.clock.now_ms();
        chain.metrics.watermark.set(watermark);
        chain.emit(0, OutputPort::Main, Event::Watermark(watermark))
    }

    /// Pauses splits that have run too far ahead of the slowest, and resumes those that have not.
    fn align(&mut self) {
        let Some(time) = &mut self.time else { return };
        let Some(drift) = time.max_drift_ms else {
            return;
        };
        let merger = &self.splits.merger;
        let live = merger
            .iter()
            .filter(|(s, _)| !merger.has_ended(s) && !merger.is_input_idle(s));
        let Some(slowest) = live.map(|(_, w)| w).min() else {
            return;
        };
        let limit = slowest.saturating_add(drift);
        let ahead: Vec<Arc<str>> = merger
            .iter()
            .filter(|(s, w)| *w > limit && slowest != MIN_WATERMARK && !merger.has_ended(s))
            .map(|(s, _)| Arc::clone(s))
            .collect();
        for split in time.paused.iter().filter(|s| !ahead.contains(s)) {
            self.source.set_paused(split, false);
        }
        for split in ahead.iter().filter(|s| !time.paused.contains(s)) {
            self.source.set_paused(split, true);
        }
        time.paused = ahead;
    }
}

/// VALUES as a source: fixed rows from subtask 0.
pub(super) struct ValuesSource {
    index: u32,
    batches: VecDeque<RecordBatch>,
    taken: usize,
    skip: usize,
}

impl ValuesSource {
    /// Reads an Arrow IPC stream; `restored` says how many batches are done.
    pub fn new(ipc: &[u8], index: u32, restored: Option<&[SplitState]>) -> Result<Self> {
        let broken = |e: arrow::error::ArrowError| EngineError::internal(format!("VALUES: {e}"));
        let reader = arrow::ipc::reader::StreamReader::try_new(std::io::Cursor::new(ipc), None);
        let batches = match index {
            0 => reader
                .map_err(broken)?
                .collect::<Result<_, _>>()
                .map_err(broken)?,
            _ => VecDeque::new(),
        };
        let position = restored.unwrap_or_default().first();
        let done = position.and_then(|s| std::str::from_utf8(&s.position.0).ok()?.parse().ok());
        Ok(ValuesSource {
            index,
            batches,
            taken: 0,
            skip: done.unwrap_or(0),
        })
    }
}

#[async_trait::async_trait]
impl Source for ValuesSource {
    async fn open(&mut self) -> Result<Vec<String>> {
        self.batches.drain(..self.skip.min(self.batches.len()));
        self.taken = self.skip;
        Ok(Vec::new())
    }

    async fn next(&mut self) -> Result<SourceEvent> {
        match self.batches.pop_front() {
            Some(rows) => {
                self.taken += 1;
                Ok(SourceEvent::Rows {
                    split: "values".into(),
                    batch: Batch::inserts(rows),
                })
            }
            None => Ok(SourceEvent::End),
        }
    }

    fn positions(&self) -> Result<Vec<SplitState>> {
        if self.index != 0 {
            return Ok(Vec::new());
        }
        let position = crate::graph::WireBytes(self.taken.to_string().into_bytes());
        let finished = self.batches.is_empty();
        Ok(vec![SplitState {
            split: "values".into(),
            position,
            watermark: None,
            finished,
        }])
    }
}
