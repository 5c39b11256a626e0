//! Asking tables by key: a stage of the chain that waits for answers while other things go on.
//!
//! ```text
//!   rows ──▶ keys ──▶ cache (`cache`) ──▶ question under way ──▶ answer ──▶ calcs ──▶ condition ──▶ rows
//!                        └──────────────── hit ─────────────────────▲
//! ```
//!
//! Rows leave in the order in which they came, and what concerns time stays behind the rows before it. A
//! barrier takes the rows without an answer along; after a restore they are asked for again. A table that is
//! loaded as a whole (`loaded`) answers at once.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use arrow::array::{Array as _, ArrayRef, RecordBatch, UInt32Array};
use arrow::compute::{concat_batches, take_arrays};
use arrow::datatypes::SchemaRef;
use arrow::row::{RowConverter, SortField};
use futures::FutureExt as _;
use futures::future::BoxFuture;

use super::chain::Event;
use crate::connector::{Answer, Lookup};
use crate::element::{Batch, Element, rows_of};
use crate::error::{EngineError, Result};
use crate::graph::LookupRetry;
use crate::key::canonical_floats;
use crate::metrics::SubtaskMetrics;
use crate::time::Clock;

mod cache;
mod giving;
mod loaded;
mod open;
mod shaping;
#[cfg(test)]
mod tests;

use cache::{Cache, Encoded};
use giving::{Giving, Matching};
use shaping::Shaping;

/// The key of a row that has none, since part of it is NULL.
const NO_KEY: u32 = u32::MAX;
/// No more rows are taken when so many bytes of them wait for answers.
const WAITING_BYTES: usize = 32 << 20;

/// Asks a table by key, and puts its rows to those of the input.
pub(super) struct LookupStage {
    asker: Asker,
    keys: Keys,
    cache: Option<Cache>,
    /// The columns that the table delivers.
    table: SchemaRef,
    shaping: Shaping,
    matching: Matching,
    /// What has not left yet, in order.
    waiting: VecDeque<Waiting>,
    /// The rows whose answer is leaving.
    giving: Option<Giving>,
    /// How many questions may be under way.
    capacity: usize,
    metrics: Arc<SubtaskMetrics>,
    clock: Arc<dyn Clock>,
}

/// What asks.
#[derive(Clone)]
struct Asker {
    lookup: Arc<dyn Lookup>,
    /// For messages.
    name: String,
    timeout: Duration,
    retry: Option<LookupRetry>,
}

/// The columns of the key, and how its values are compared.
struct Keys {
    /// In the rows of the input.
    columns: Vec<usize>,
    /// With their names in the table.
    schema: SchemaRef,
    converter: RowConverter,
}

enum Waiting {
    Rows(Box<Rows>),
    Event(Event),
}

/// Rows that have been asked for.
struct Rows {
    batch: Batch,
    /// For each row the number of its key, or [`NO_KEY`].
    key_of: Vec<u32>,
    /// How many keys there are.
    keys: u32,
    /// The rows of keys that the cache knew.
    known: Vec<(u32, Encoded)>,
    /// The keys that were asked for, by number and as bytes.
    missing: Vec<(u32, Box<[u8]>)>,
    asked_ms: i64,
    question: Question,
}

enum Question {
    Open(BoxFuture<'static, Result<Answer>>),
    Answered(Option<Answer>),
}

/// What leaves the stage.
pub(super) enum Given {
    Rows(Batch),
    Event(Event),
}

impl LookupStage {
    /// Takes rows, and asks for what is not known.
    pub fn take(&mut self, batch: Batch) -> Result<()> {
        if batch.kinds().is_some() {
            return Err(EngineError::internal("a lookup join of rows that change"));
        }
        let now = self.clock.now_ms();
        let columns = self.keys.of(&batch);
        let encoded = self.keys.converter.convert_columns(&columns)?;
        let mut numbers = hashbrown::HashMap::new();
        let (mut key_of, mut first) = (Vec::with_capacity(batch.num_rows()), Vec::new());
        for row in 0..batch.num_rows() {
            if columns.iter().any(|column| column.is_null(row)) {
                key_of.push(NO_KEY);
                continue;
            }
            let number = *numbers.entry(encoded.row(row)).or_insert_with(|| {
                first.push(row as u32);
                first.len() as u32 - 1
            });
            key_of.push(number);
        }
        let (mut known, mut missing, mut rows) = (Vec::new(), Vec::new(), Vec::new());
        for (number, row) in (0..).zip(&first) {
            let key = encoded.row(*row as usize);
            match self.cache.as_mut().and_then(|c| c.get(key.as_ref(), now)) {
                Some(found) => known.push((number, found)),
                None => {
                    missing.push((number, key.as_ref().into()));
                    rows.push(*row);
                }
            }
        }
        self.metrics.lookup_hits.add(known.len() as u64);
        self.metrics.lookup_keys.add(missing.len() as u64);
        let question = match missing.is_empty() {
            true => Question::Answered(None),
            false => {
                let columns = take_arrays(&columns, &UInt32Array::from(rows), None)?;
                let keys = rows_of(&self.keys.schema, columns, missing.len())?;
                Question::Open(self.asker.clone().ask(keys).boxed())
            }
        };
        self.waiting.push_back(Waiting::Rows(Box::new(Rows {
            keys: first.len() as u32,
            batch,
            key_of,
            known,
            missing,
            asked_ms: now,
            question,
        })));
        Ok(())
    }

    /// Takes what concerns time, which leaves behind the rows that wait. Gives it back if none do.
    pub fn hold(&mut self, event: Event) -> Option<Event> {
        if self.is_empty() {
            return Some(event);
        }
        match (self.waiting.back_mut(), &event) {
            (Some(Waiting::Event(last @ Event::Watermark(_))), Event::Watermark(_)) => {
                *last = event;
            }
            _ => self.waiting.push_back(Waiting::Event(event)),
        }
        None
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.giving.is_none()
    }

    /// Whether so much waits that no rows may be taken.
    pub fn is_full(&self) -> bool {
        let rows = || {
            self.waiting.iter().filter_map(|waiting| match waiting {
                Waiting::Rows(rows) => Some(rows),
                Waiting::Event(_) => None,
            })
        };
        let bytes = rows().map(|rows| rows.batch.byte_size());
        rows().count() >= self.capacity || bytes.sum::<usize>() >= WAITING_BYTES
    }

    /// Whether something can leave.
    pub fn can_give(&self) -> bool {
        self.giving.is_some()
            || match self.waiting.front() {
                Some(Waiting::Rows(rows)) => matches!(rows.question, Question::Answered(_)),
                Some(Waiting::Event(_)) => true,
                None => false,
            }
    }

    /// Goes on with the questions; ready when all have an answer.
    pub fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<()>> {
        let mut done = Poll::Ready(Ok(()));
        for waiting in &mut self.waiting {
            let Waiting::Rows(rows) = waiting else {
                continue;
            };
            let Question::Open(question) = &mut rows.question else {
                continue;
            };
            match question.as_mut().poll(context) {
                Poll::Ready(Ok(answer)) => rows.question = Question::Answered(Some(answer)),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => done = Poll::Pending,
            }
        }
        done
    }

    /// The next thing that leaves; `None` while the answer for it is not there.
    pub fn give(&mut self) -> Result<Option<Given>> {
        while self.can_give() {
            if let Some(giving) = &mut self.giving {
                match giving.next(&self.matching)? {
                    Some(batch) => return Ok(Some(Given::Rows(batch))),
                    None => self.giving = None,
                }
                continue;
            }
            match self.waiting.pop_front() {
                Some(Waiting::Event(event)) => return Ok(Some(Given::Event(event))),
                Some(Waiting::Rows(rows)) => self.giving = Some(self.answered(*rows)?),
                None => {}
            }
        }
        Ok(None)
    }

    /// Rows of the input that have not left, from old to new, for a checkpoint. Time comes again by itself.
    pub fn unanswered(&self) -> Vec<Element> {
        let leaving = self.giving.iter().filter_map(Giving::rest);
        let waiting = self.waiting.iter().filter_map(|waiting| match waiting {
            Waiting::Rows(rows) => Some(rows.batch.clone()),
            Waiting::Event(_) => None,
        });
        leaving.chain(waiting).map(Element::Batch).collect()
    }

    /// Drops what waits: a checkpoint has it, and the subtask ends.
    pub fn clear(&mut self) {
        self.waiting.clear();
        self.giving = None;
    }

    /// Puts the answer for rows together, of what was known and what was asked for.
    fn answered(&mut self, rows: Rows) -> Result<Giving> {
        let answer = match rows.question {
            Question::Answered(answer) => answer,
            Question::Open(_) => return Err(EngineError::internal("a question is still open")),
        };
        let (mut parts, mut of) = (Vec::new(), Vec::new());
        if let Some(answer) = answer {
            let number = |asked: &u32| rows.missing.get(*asked as usize).map(|(number, _)| *number);
            let numbers: Option<Vec<u32>> = answer.of.iter().map(number).collect();
            of = numbers
                .filter(|of| of.len() == answer.rows.num_rows())
                .ok_or_else(|| EngineError::internal("an answer to another question"))?;
            if let Some(cache) = &mut self.cache {
                cache.keep(&rows.missing, &answer, rows.asked_ms)?;
            }
            parts.push(answer.rows);
        }
        if let Some(cache) = &self.cache {
            for (number, found) in &rows.known {
                of.extend(found.iter().map(|_| *number));
            }
            let found = rows.known.iter().flat_map(|(_, found)| found.iter());
            parts.push(cache.decode(found)?);
        }
        let found = concat_batches(&self.table, &parts)?;
        let (found, of) = self.shaping.apply(found, of)?;
        Ok(Giving::new(rows.batch, rows.key_of, rows.keys, found, &of))
    }
}

impl Keys {
    fn new(columns: Vec<usize>, schema: SchemaRef) -> Result<Self> {
        let fields = schema.fields().iter();
        let fields = fields.map(|field| SortField::new(field.data_type().clone()));
        Ok(Keys {
            columns,
            converter: RowConverter::new(fields.collect())?,
            schema,
        })
    }

    fn of(&self, batch: &Batch) -> Vec<ArrayRef> {
        let columns = self.columns.iter();
        columns
            .map(|c| canonical_floats(batch.column(*c)))
            .collect()
    }
}

impl Asker {
    async fn ask(self, keys: RecordBatch) -> Result<Answer> {
        match tokio::time::timeout(self.timeout, self.answer(keys)).await {
            Ok(answer) => answer,
            Err(_) => Err(EngineError::connector(format!(
                "table '{}' has not answered within {} ms",
                self.name,
                self.timeout.as_millis()
            ))
            .with_hint(
                "raise 'table.exec.async-lookup.timeout', or see what keeps the external system busy",
            )),
        }
    }

    /// The answer, with keys that have no rows yet asked for again.
    async fn answer(&self, keys: RecordBatch) -> Result<Answer> {
        let mut answer = self.lookup.ask(keys.clone()).await?;
        let Some(retry) = self.retry else {
            return Ok(answer);
        };
        for _ in 0..retry.attempts {
            let found: hashbrown::HashSet<u32> = answer.of.iter().copied().collect();
            let without = (0..keys.num_rows() as u32).filter(|key| !found.contains(key));
            let without: Vec<u32> = without.collect();
            if without.is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(retry.delay_ms)).await;
            let places = UInt32Array::from(without.clone());
            let again = take_arrays(keys.columns(), &places, None)?;
            let again = rows_of(&keys.schema(), again, without.len())?;
            let more = self.lookup.ask(again).await?;
            let of = more.of.iter();
            let of = of.filter_map(|key| without.get(*key as usize).copied());
            answer.of.extend(of);
            answer.rows = concat_batches(&answer.rows.schema(), [&answer.rows, &more.rows])?;
        }
        Ok(answer)
    }
}
