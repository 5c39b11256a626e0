//! The producing end of an edge: rows find their subtask and pile up only while it is busy.

use std::collections::VecDeque;
use std::task::{Context, Poll, ready};

use arrow::array::UInt32Array;
use arrow::datatypes::SchemaRef;

use super::ChannelSender;
use crate::element::{Barrier, Batch, Element};
use crate::error::{EngineError, Result};
use crate::graph::Partitioning;
use crate::key;

/// A batch that has grown this large is handed over even to a busy consumer, in bytes.
const FULL_BYTES: usize = 1 << 20;

/// Sends the rows of one subtask along one edge.
///
/// What is pushed waits here until the subtask lets it go with [`EdgeOutput::poll_send`]; a subtask
/// whose output is full takes no more input, and still listens.
pub struct EdgeOutput {
    /// The subtask's.
    index: u32,
    partitioning: Partitioning,
    schema: SchemaRef,
    max_parallelism: u32,
    /// A batch of so many rows is full.
    full_rows: usize,
    lanes: Vec<Lane>,
    turn: usize,
    hashes: Vec<u64>,
}

struct Lane {
    sender: ChannelSender,
    /// A barrier that goes before everything else.
    urgent: Option<Barrier>,
    /// What goes as it is, in order.
    queue: VecDeque<Element>,
    /// Rows behind that, which pile up while the consumer is busy.
    pending: Vec<Batch>,
    rows: usize,
    bytes: usize,
}

impl EdgeOutput {
    /// The output of subtask `index` over `senders`, in the order of the consumer's subtasks.
    pub fn new(
        index: u32,
        partitioning: Partitioning,
        schema: SchemaRef,
        max_parallelism: u32,
        full_rows: usize,
        senders: Vec<ChannelSender>,
    ) -> Self {
        let lane = |sender| Lane {
            sender,
            urgent: None,
            queue: VecDeque::new(),
            pending: Vec::new(),
            rows: 0,
            bytes: 0,
        };
        let lanes = senders.into_iter().map(lane).collect();
        let hashes = Vec::new();
        EdgeOutput {
            index,
            partitioning,
            schema,
            max_parallelism,
            full_rows,
            lanes,
            turn: 0,
            hashes,
        }
    }

    /// Takes rows, each for its consumer.
    pub fn push(&mut self, batch: Batch) -> Result<()> {
        match &self.partitioning {
            Partitioning::Forward => self.push_to(0, batch),
            Partitioning::Rebalance => {
                let lane = self.turn % self.lanes.len().max(1);
                self.turn = self.turn.wrapping_add(1);
                self.push_to(lane, batch);
            }
            Partitioning::Broadcast => {
                (0..self.lanes.len()).for_each(|lane| self.push_to(lane, batch.clone()));
            }
            Partitioning::Hash(columns) => {
                let columns = columns.clone();
                self.push_by_key(&columns, &batch)?;
            }
        }
        Ok(())
    }

    /// Takes anything but rows, for all consumers, behind the rows.
    pub fn broadcast(&mut self, element: &Element) -> Result<()> {
        for lane in &mut self.lanes {
            lane.close(&self.schema)?;
            lane.queue.push_back(element.clone());
        }
        Ok(())
    }

    /// Sends what is due: rows at once to consumers that are free, otherwise when enough has piled
    /// up, or all of them if the input has run dry (`dry`). Pending while something due waits for
    /// credit.
    pub fn poll_send(&mut self, context: &mut Context<'_>, dry: bool) -> Poll<Result<()>> {
        let mut sent = Poll::Ready(Ok(()));
        for lane in &mut self.lanes {
            match lane.poll_send(context, &self.schema, self.full_rows, dry) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                // One busy consumer does not hold up the others.
                Poll::Pending => sent = Poll::Pending,
            }
        }
        sent
    }

    /// Whether so much waits that no more may be taken.
    pub fn is_full(&self) -> bool {
        let mut lanes = self.lanes.iter();
        lanes.any(|l| !l.queue.is_empty() || l.is_full(self.full_rows))
    }

    /// Whether anything waits.
    pub fn has_unsent(&self) -> bool {
        let mut lanes = self.lanes.iter();
        lanes.any(|l| l.urgent.is_some() || !l.queue.is_empty() || l.rows > 0)
    }

    /// Whether a barrier waits behind other elements.
    pub fn holds(&self, checkpoint_id: u64) -> bool {
        let mut lanes = self.lanes.iter();
        lanes.any(|l| l.position(checkpoint_id).is_some())
    }

    /// Lets a barrier overtake what waits in front of it, and says what that is, by consumer. Older
    /// barriers are not worth sending any more.
    pub fn overtake(&mut self, barrier: Barrier) -> Vec<(u32, Vec<Element>)> {
        let consumer = match self.partitioning {
            Partitioning::Forward => self.index,
            _ => 0,
        };
        let mut overtaken = Vec::new();
        for (lane, to) in self.lanes.iter_mut().zip(consumer..) {
            let Some(position) = lane.position(barrier.checkpoint_id) else {
                continue;
            };
            lane.urgent = Some(barrier);
            let behind = lane.queue.split_off(position).into_iter().skip(1);
            lane.queue.retain(|e| !matches!(e, Element::Barrier(_)));
            overtaken.push((to, lane.queue.iter().cloned().collect()));
            lane.queue.extend(behind);
        }
        overtaken
    }

    /// Waits until all consumers have processed everything that was sent.
    pub async fn freed(&mut self) -> Result<()> {
        for lane in &mut self.lanes {
            lane.sender.freed().await?;
        }
        Ok(())
    }

    fn push_to(&mut self, lane: usize, batch: Batch) {
        if let Some(lane) = self.lanes.get_mut(lane)
            && !batch.is_empty()
        {
            lane.rows += batch.num_rows();
            lane.bytes += batch.byte_size();
            lane.pending.push(batch);
        }
    }

    fn push_by_key(&mut self, columns: &[usize], batch: &Batch) -> Result<()> {
        let parallelism = self.lanes.len() as u32;
        if parallelism == 1 || columns.is_empty() {
            self.push_to(0, batch.clone());
            return Ok(());
        }
        let keys = columns
            .iter()
            .map(|c| batch.rows().columns().get(*c).cloned())
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| EngineError::internal("a key column of an edge does not exist"))?;
        key::hash_keys(&keys, batch.num_rows(), &mut self.hashes)?;
        let expected = batch.num_rows() / self.lanes.len() * 5 / 4;
        let mut rows = vec![Vec::with_capacity(expected); self.lanes.len()];
        for (row, hash) in self.hashes.iter().enumerate() {
            let group = key::key_group(*hash, self.max_parallelism);
            let owner = key::owner(group, self.max_parallelism, parallelism);
            rows[owner as usize].push(row as u32);
        }
        for (lane, rows) in rows.into_iter().enumerate() {
            if rows.len() == batch.num_rows() {
                self.push_to(lane, batch.clone());
            } else if !rows.is_empty() {
                self.push_to(lane, batch.take(&UInt32Array::from(rows))?);
            }
        }
        Ok(())
    }
}

impl Lane {
    fn is_full(&self, full_rows: usize) -> bool {
        self.rows >= full_rows || self.bytes >= FULL_BYTES
    }

    /// Where a barrier stands in the queue.
    fn position(&self, checkpoint_id: u64) -> Option<usize> {
        let mut queue = self.queue.iter();
        queue.position(|e| matches!(e, Element::Barrier(b) if b.checkpoint_id == checkpoint_id))
    }

    /// Makes one batch of what has piled up.
    fn close(&mut self, schema: &SchemaRef) -> Result<()> {
        if !self.pending.is_empty() {
            let batch = Batch::concat(schema, &self.pending)?;
            self.pending.clear();
            (self.rows, self.bytes) = (0, 0);
            self.queue.push_back(Element::Batch(batch));
        }
        Ok(())
    }

    fn poll_send(
        &mut self,
        context: &mut Context<'_>,
        schema: &SchemaRef,
        full_rows: usize,
        dry: bool,
    ) -> Poll<Result<()>> {
        if let Some(barrier) = self.urgent {
            ready!(self.sender.poll_send_past(context, barrier))?;
            self.urgent = None;
        }
        loop {
            while let Some(next) = self.queue.front() {
                ready!(self.sender.poll_credit(context, super::cost(next)))?;
                let queue = &mut self.queue;
                let next = || queue.pop_front().unwrap_or(Element::Idle);
                ready!(self.sender.poll_send(context, next))?;
            }
            if self.rows == 0 {
                return Poll::Ready(Ok(()));
            }
            if !self.is_full(full_rows) && !self.sender.is_free() {
                if !dry {
                    self.sender.cease_waiting();
                    return Poll::Ready(Ok(()));
                }
                // Rows go on piling up until there is credit for them.
                let cost = self.bytes.max(super::MIN_COST);
                ready!(self.sender.poll_credit(context, cost))?;
            }
            self.close(schema)?;
        }
    }
}
