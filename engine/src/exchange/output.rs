//! The producing end of an edge: rows find their subtask and pile up only while it is busy.

use arrow::array::UInt32Array;
use arrow::datatypes::SchemaRef;

use super::ChannelSender;
use crate::element::{Batch, Element};
use crate::error::{EngineError, Result};
use crate::graph::Partitioning;
use crate::key;

/// A batch that has grown this large is handed over even to a busy consumer, in bytes.
const FULL_BYTES: usize = 1 << 20;

/// Sends the rows of one subtask along one edge.
pub struct EdgeOutput {
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
    pending: Vec<Batch>,
    rows: usize,
    bytes: usize,
}

impl EdgeOutput {
    /// An output over `senders`, in the order of the consumer's subtasks.
    pub fn new(
        partitioning: Partitioning,
        schema: SchemaRef,
        max_parallelism: u32,
        full_rows: usize,
        senders: Vec<ChannelSender>,
    ) -> Self {
        let lane = |sender| Lane {
            sender,
            pending: Vec::new(),
            rows: 0,
            bytes: 0,
        };
        let lanes = senders.into_iter().map(lane).collect();
        let hashes = Vec::new();
        EdgeOutput {
            partitioning,
            schema,
            max_parallelism,
            full_rows,
            lanes,
            turn: 0,
            hashes,
        }
    }

    /// Sends rows: at once to consumers that are free, otherwise when enough has piled up or
    /// [`EdgeOutput::flush`] is called.
    pub async fn send(&mut self, batch: Batch) -> Result<()> {
        match &self.partitioning {
            Partitioning::Forward => self.push(0, batch),
            Partitioning::Rebalance => {
                let lane = self.turn % self.lanes.len().max(1);
                self.turn = self.turn.wrapping_add(1);
                self.push(lane, batch);
            }
            Partitioning::Broadcast => {
                (0..self.lanes.len()).for_each(|lane| self.push(lane, batch.clone()));
            }
            Partitioning::Hash(columns) => {
                let columns = columns.clone();
                self.push_by_key(&columns, &batch)?;
            }
        }
        for lane in &mut self.lanes {
            if lane.rows > 0
                && (lane.rows >= self.full_rows
                    || lane.bytes >= FULL_BYTES
                    || lane.sender.is_free())
            {
                lane.flush(&self.schema).await?;
            }
        }
        Ok(())
    }

    /// Sends what has piled up; called when the input has run dry.
    pub async fn flush(&mut self) -> Result<()> {
        for lane in &mut self.lanes {
            lane.flush(&self.schema).await?;
        }
        Ok(())
    }

    /// Sends anything but rows to all consumers, behind the rows.
    pub async fn broadcast(&mut self, element: Element) -> Result<()> {
        self.flush().await?;
        for lane in &self.lanes {
            lane.sender.send(element.clone()).await?;
        }
        Ok(())
    }

    fn push(&mut self, lane: usize, batch: Batch) {
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
            self.push(0, batch.clone());
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
                self.push(lane, batch.clone());
            } else if !rows.is_empty() {
                self.push(lane, batch.take(&UInt32Array::from(rows))?);
            }
        }
        Ok(())
    }
}

impl Lane {
    async fn flush(&mut self, schema: &SchemaRef) -> Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let batch = Batch::concat(schema, &self.pending)?;
        self.pending.clear();
        (self.rows, self.bytes) = (0, 0);
        self.sender.send(Element::Batch(batch)).await
    }
}
