//! What a barrier had overtaken comes again, ahead of everything else, when a job is restored.
//!
//! First of all sinks write again what they had not flushed, and say so. Then subtasks take their turns from
//! the sinks to the sources, and within each its operators from the last to the first: when one begins,
//! everything behind it has dealt with its own. So rows of a key keep their order although they may now pass
//! through subtasks that differ from those of the rows that follow, and operators may now share a chain that
//! had an exchange between them. Each old channel stays a channel of its own meanwhile, with its own
//! watermark.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::BooleanArray;
use arrow::datatypes::SchemaRef;

use super::chain::{Event, Stage};
use super::{Command, ReportKind, Subtask};
use crate::checkpoint::{ChannelTime, CheckpointStore, InFlight, Leg, Manifest};
use crate::element::{Batch, Element};
use crate::error::{EngineError, Result};
use crate::graph::Partitioning;
use crate::key::{self, KeyGroupRange};
use crate::time::MIN_WATERMARK;

#[cfg(test)]
mod tests;

/// Old channels get numbers from here on, beyond those of the new ones.
const OLD_CHANNELS: u32 = 1 << 31;

/// What is needed to replay.
pub(super) struct Replay {
    pub manifest: Arc<Manifest>,
    pub store: CheckpointStore,
    /// For copies of files.
    pub scratch: PathBuf,
    pub key_groups: KeyGroupRange,
    pub max_parallelism: u32,
    /// Sinks of the vertex, in this subtask or another, had not flushed all rows.
    pub rewrites: bool,
    /// By position in the chain and ordinal.
    pub inputs: BTreeMap<(usize, u32), ReplayInput>,
}

/// An input of an operator.
pub(super) struct ReplayInput {
    /// How rows find their way there.
    pub partitioning: Partitioning,
    /// What they look like.
    pub schema: SchemaRef,
    /// What an aggregation groups by, by its columns where there is no local phase.
    pub keys: Vec<usize>,
}

/// An old channel by where it came from and where it led.
type Channel = (u32, u32);

impl Subtask {
    /// Writes what sinks had not flushed, waits for the subtask's turn and replays its rows.
    pub(super) async fn take_replay(&mut self, replay: Replay) -> Result<()> {
        if replay.rewrites {
            for node in 0..self.chain.nodes.len() {
                self.rewrite(&replay, node).await?;
            }
            self.send_all().await?;
            self.reporter.send(ReportKind::Rewritten).await;
        }
        while self
            .commands
            .recv()
            .await
            .ok_or_else(EngineError::cancelled)?
            != Command::Replay
        {}
        for (&at, input) in replay.inputs.iter().rev() {
            self.replay_input(&replay, at, input).await?;
        }
        for edge in &mut self.chain.edges {
            edge.freed().await?;
        }
        Ok(())
    }

    async fn replay_input(
        &mut self,
        replay: &Replay,
        (node, input): (usize, u32),
        of: &ReplayInput,
    ) -> Result<()> {
        let Some((uid, partial)) = self
            .chain
            .nodes
            .get(node)
            .map(|n| (n.uid.clone(), n.partial_input))
        else {
            return Ok(());
        };
        let partitioning = &of.partitioning;
        let is_mine = |to: u32, consumers: u32| self.takes(replay, partitioning, to, consumers);
        let times = replay
            .manifest
            .channels
            .iter()
            .filter(|c| c.operator == uid && c.input == input && is_mine(c.to, c.consumers));
        let times: BTreeMap<Channel, ChannelTime> =
            times.map(|c| ((c.to, c.from), c.clone())).collect();
        let is_own =
            |f: &InFlight| f.operator == uid && f.input == input && is_mine(f.to, f.consumers);
        let (asked, rows) = of_input(&replay.manifest, is_own);
        // These came before all that is said of time.
        for part in asked {
            self.ask_again(replay, node, of, &part).await?;
        }
        if times.is_empty() && rows.is_empty() {
            return Ok(());
        }
        let mut channels: Vec<Channel> = times.keys().copied().collect();
        channels.extend(rows.iter().map(|f| (f.to, f.from)));
        channels.sort_unstable();
        channels.dedup();
        let number = |channel: &Channel| {
            OLD_CHANNELS + channels.binary_search(channel).unwrap_or_default() as u32
        };
        let new = self.enter_old_time(node, input, channels.len());
        // Those that hold nobody back first, so that no watermark waits for them.
        let (silent, live): (Vec<_>, Vec<_>) = times.iter().partition(|(_, t)| t.silent);
        for (channel, time) in silent.into_iter().chain(live) {
            self.stand_at((node, input, number(channel)), time)?;
        }
        for part in rows {
            let channel = number(&(part.to, part.from));
            self.take_partial(node, part.partial);
            for element in replay.store.get_in_flight(&part, &replay.scratch).await? {
                let event = match element {
                    Element::Batch(batch) => {
                        if part.partial == partial {
                            fits(&batch, &of.schema, &part)?;
                        }
                        let keys = of.keys_in(&part, partial);
                        match self.own_rows(replay, &keys, part.consumers, batch)? {
                            Some(rows) => Event::Batch(rows),
                            None => continue,
                        }
                    }
                    Element::Watermark(watermark) => Event::Watermark(watermark),
                    _ => continue,
                };
                self.push_through((node, input, channel), event).await?;
            }
        }
        self.take_partial(node, partial);
        self.leave_old_time(node, input, channels.len(), &new);
        Ok(())
    }

    /// Asks again for the rows that had no answer yet.
    async fn ask_again(
        &mut self,
        replay: &Replay,
        node: usize,
        of: &ReplayInput,
        part: &InFlight,
    ) -> Result<()> {
        let channel = self.chain.nodes.get(node);
        let channel = channel.and_then(|n| n.inputs.iter().map(|(key, _)| key.1).next());
        for element in replay.store.get_in_flight(part, &replay.scratch).await? {
            let Element::Batch(batch) = element else {
                continue;
            };
            fits(&batch, &of.schema, part)?;
            let keys = of.keys_in(part, false);
            if let Some(rows) = self.own_rows(replay, &keys, part.consumers, batch)? {
                let at = (node, part.input, channel.unwrap_or_default());
                self.push_through(at, Event::Batch(rows)).await?;
            }
        }
        Ok(())
    }

    /// Passes an event on, and all that it makes operators give.
    async fn push_through(
        &mut self,
        (node, input, channel): (usize, u32, u32),
        event: Event,
    ) -> Result<()> {
        self.chain.push(node, input, channel, event)?;
        self.send_all().await?;
        while self.chain.has_work() {
            self.chain.run()?;
            self.send_all().await?;
        }
        Ok(())
    }

    /// Rows that a sink may or may not have written are written again.
    async fn rewrite(&mut self, replay: &Replay, node: usize) -> Result<()> {
        let Some(of) = self.chain.nodes.get(node) else {
            return Ok(());
        };
        if !matches!(of.stage, Stage::Sink(_)) {
            return Ok(());
        }
        let uid = of.uid.clone();
        let mine = |f: &&InFlight| {
            f.operator == uid && f.leg == Leg::Unflushed && f.to % self.parallelism == self.index
        };
        let mut rows: Vec<InFlight> = replay
            .manifest
            .in_flight
            .iter()
            .filter(mine)
            .cloned()
            .collect();
        rows.sort_by_key(|f| f.to);
        for part in &rows {
            for element in replay.store.get_in_flight(part, &replay.scratch).await? {
                if let (Element::Batch(batch), Some(of)) = (element, self.chain.nodes.get_mut(node))
                    && let Stage::Sink(sink) = &mut of.stage
                {
                    fits(&batch, &of.schema, part)?;
                    sink.write(batch);
                }
                self.send_all().await?;
            }
        }
        if let Some(of) = self.chain.nodes.get_mut(node)
            && let Stage::Sink(sink) = &mut of.stage
            && !rows.is_empty()
        {
            sink.flush();
        }
        Ok(())
    }

    /// Whether rows for the old subtask `to` of `consumers` can be for this one.
    fn takes(&self, replay: &Replay, by: &Partitioning, to: u32, consumers: u32) -> bool {
        match by {
            _ if consumers == self.parallelism => to == self.index,
            Partitioning::Hash(columns) if columns.is_empty() => self.index == 0,
            Partitioning::Hash(_) => {
                let old = KeyGroupRange::of_subtask(to, consumers, replay.max_parallelism);
                let shared = old.intersection(&replay.key_groups);
                shared.start < shared.end
            }
            // Each old subtask had all rows, so one of them is enough.
            Partitioning::Broadcast => to == self.index % consumers.max(1),
            Partitioning::Forward | Partitioning::Rebalance => to % self.parallelism == self.index,
        }
    }

    /// The rows that are for this subtask.
    fn own_rows(
        &self,
        replay: &Replay,
        columns: &[usize],
        consumers: u32,
        batch: Batch,
    ) -> Result<Option<Batch>> {
        if consumers == self.parallelism || columns.is_empty() {
            return Ok(Some(batch));
        }
        let lost = || EngineError::internal("a key column of an edge does not exist");
        let column = |c: &usize| batch.rows().columns().get(*c).cloned().ok_or_else(lost);
        let keys = columns.iter().map(column).collect::<Result<Vec<_>>>()?;
        let mut hashes = Vec::new();
        key::hash_keys(&keys, batch.num_rows(), &mut hashes)?;
        let groups = replay.key_groups;
        let own = hashes.iter().map(|hash| {
            let group = key::key_group(*hash, replay.max_parallelism);
            Some((groups.start..groups.end).contains(&group))
        });
        let own: BooleanArray = own.collect();
        let rows = batch.filter(&own)?;
        Ok((!rows.is_empty()).then_some(rows))
    }

    fn take_partial(&mut self, node: usize, partial: bool) {
        if let Some(node) = self.chain.nodes.get_mut(node)
            && let Stage::Operator(operator) = &mut node.stage
        {
            operator.take_partial(partial);
        }
    }

    /// From now on the old channels of an input count, and the new ones do not; returns those.
    fn enter_old_time(&mut self, node: usize, input: u32, channels: usize) -> Vec<(u32, u32)> {
        let Some(node) = self.chain.nodes.get_mut(node) else {
            return Vec::new();
        };
        let of_input = node
            .inputs
            .iter()
            .map(|(key, _)| *key)
            .filter(|k| k.0 == input);
        let new: Vec<(u32, u32)> = of_input.collect();
        for key in &new {
            node.inputs.idle(key);
        }
        for channel in 0..channels as u32 {
            node.inputs
                .add((input, OLD_CHANNELS + channel), MIN_WATERMARK);
        }
        new
    }

    /// Puts an old channel where it stood.
    fn stand_at(
        &mut self,
        (node, input, channel): (usize, u32, u32),
        time: &ChannelTime,
    ) -> Result<()> {
        if time.silent {
            if let Some(node) = self.chain.nodes.get_mut(node) {
                node.inputs.idle(&(input, channel));
            }
            return Ok(());
        }
        match time.watermark {
            MIN_WATERMARK => Ok(()),
            watermark => self
                .chain
                .push(node, input, channel, Event::Watermark(watermark)),
        }
    }

    /// From now on the new channels count.
    fn leave_old_time(&mut self, node: usize, input: u32, channels: usize, new: &[(u32, u32)]) {
        let Some(node) = self.chain.nodes.get_mut(node) else {
            return;
        };
        for channel in 0..channels as u32 {
            node.inputs.forget(&(input, OLD_CHANNELS + channel));
        }
        for key in new {
            node.inputs.activate(key);
        }
    }
}

impl ReplayInput {
    /// The columns of old rows by which they find their subtask, if they do; `partial` is what the
    /// operator takes now.
    fn keys_in(&self, part: &InFlight, partial: bool) -> Vec<usize> {
        match &self.partitioning {
            Partitioning::Hash(columns) if part.partial == partial => columns.clone(),
            Partitioning::Hash(_) if part.partial => (0..self.keys.len()).collect(),
            Partitioning::Hash(_) => self.keys.clone(),
            _ => Vec::new(),
        }
    }
}

/// The rows for an input in their order: those that were being asked for, and the others.
fn of_input(
    manifest: &Manifest,
    is_own: impl Fn(&InFlight) -> bool,
) -> (Vec<InFlight>, Vec<InFlight>) {
    let mut rows = manifest.in_flight.clone();
    rows.retain(|f| f.leg != Leg::Unflushed && is_own(f));
    rows.sort_by_key(|f| (f.to, f.from, f.leg));
    rows.into_iter().partition(|f| f.leg == Leg::Asked)
}

/// Rows that were under way must be what the operator takes.
fn fits(batch: &Batch, schema: &SchemaRef, part: &InFlight) -> Result<()> {
    let (theirs, ours) = (batch.schema(), schema.fields());
    let same = theirs.fields().len() == ours.len()
        && theirs
            .fields()
            .iter()
            .zip(ours)
            .all(|(a, b)| a.data_type() == b.data_type());
    if same {
        return Ok(());
    }
    let what = format!(
        "rows under way to {} do not have the columns of the query",
        part.name
    );
    Err(EngineError::checkpoint(what).with_hint(
        "a checkpoint whose barriers overtook rows fits no edited query; start from a savepoint, or \
         restore the unedited query once and take one",
    ))
}
