//! The operators of a subtask and how rows, time and the end of input pass through them.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use arrow::datatypes::SchemaRef;

use super::sink::{Collector, SinkStage};
use crate::element::{Barrier, Batch, Element};
use crate::error::Result;
use crate::exchange::EdgeOutput;
use crate::graph::OutputPort;
use crate::metrics::SubtaskMetrics;
use crate::operator::{Operator, Output};
use crate::state::Delta;
use crate::time::{Clock, EventTime, WatermarkMerger};

/// What passes along a chain.
#[derive(Debug, Clone)]
pub(super) enum Event {
    Batch(Batch),
    Watermark(EventTime),
    Idle,
    End,
}

/// What an operator of the chain is.
pub(super) enum Stage {
    /// The source at the head; driven from outside.
    Source,
    Operator(Box<dyn Operator>),
    Sink(Box<SinkStage>),
    Collect(Collector),
}

/// Where rows go behind an operator.
#[derive(Debug, Clone, Copy)]
pub(super) enum Target {
    Chained { node: usize, input: u32 },
    Edge(usize),
}

/// One operator of the chain.
pub(super) struct Node {
    pub uid: String,
    pub name: String,
    pub stage: Stage,
    /// Of the rows that it emits, or takes if it is a sink.
    pub schema: SchemaRef,
    /// It takes partial results of a local phase.
    pub partial_input: bool,
    pub targets: Vec<(OutputPort, Target)>,
    /// Watermarks by (input, channel).
    pub inputs: WatermarkMerger<(u32, u32)>,
}

impl Stage {
    /// How far event time has come behind this stage when it has come to `watermark` in front of it.
    fn behind(&self, watermark: EventTime) -> EventTime {
        match self {
            Stage::Operator(operator) => operator.output_watermark(watermark),
            _ => watermark,
        }
    }
}

/// The keyed state of one operator in a snapshot, before its upload.
pub(super) struct KeyedSnapshot {
    pub uid: String,
    pub name: String,
    pub delta: Delta,
}

/// The operators of a subtask.
pub(super) struct Chain {
    pub nodes: Vec<Node>,
    pub edges: Vec<EdgeOutput>,
    pub metrics: Arc<SubtaskMetrics>,
    pub clock: Arc<dyn Clock>,
    queue: VecDeque<Step>,
    output: Output,
}

struct Step {
    node: usize,
    input: u32,
    channel: u32,
    event: Event,
}

impl Chain {
    pub fn new(
        nodes: Vec<Node>,
        edges: Vec<EdgeOutput>,
        metrics: Arc<SubtaskMetrics>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let (queue, output) = (VecDeque::new(), Output::default());
        Chain {
            nodes,
            edges,
            metrics,
            clock,
            queue,
            output,
        }
    }

    /// Passes an event of a channel to an input and on through the chain.
    pub fn push(&mut self, node: usize, input: u32, channel: u32, event: Event) -> Result<()> {
        self.queue.push_back(Step {
            node,
            input,
            channel,
            event,
        });
        self.run()
    }

    /// Passes on what a source at the head has to say.
    pub fn emit(&mut self, node: usize, port: OutputPort, event: Event) -> Result<()> {
        self.route(node, port, event)?;
        self.run()
    }

    /// Whether every operator has seen the end of all its inputs.
    pub fn has_ended(&self) -> bool {
        self.nodes
            .iter()
            .all(|n| matches!(n.stage, Stage::Source) || n.inputs.all_ended())
    }

    fn run(&mut self) -> Result<()> {
        // First in, first out keeps the order on every path from operator to operator.
        while let Some(step) = self.queue.pop_front() {
            match step.event {
                Event::Batch(batch) => {
                    self.process(step.node, step.input, step.channel, batch)?;
                }
                time => self.advance(step.node, (step.input, step.channel), time)?,
            }
        }
        Ok(())
    }

    fn process(&mut self, node: usize, input: u32, channel: u32, batch: Batch) -> Result<()> {
        let Some(target) = self.nodes.get_mut(node) else {
            return Ok(());
        };
        target.inputs.activate(&(input, channel));
        let place = |e: crate::error::EngineError, name: &str| e.at(name);
        match &mut target.stage {
            Stage::Source => {}
            Stage::Operator(operator) => {
                let started = Instant::now();
                let now = self.clock.now_ms();
                operator
                    .process(input as usize, batch, now, &mut self.output)
                    .map_err(|e| place(e, &target.name))?;
                self.metrics
                    .busy_ns
                    .add(started.elapsed().as_nanos() as u64);
                self.route_output(node)?;
            }
            Stage::Sink(sink) => {
                self.metrics.rows_out.add(batch.num_rows() as u64);
                self.metrics.batches_out.add(1);
                self.metrics.bytes_out.add(batch.byte_size() as u64);
                sink.write(batch);
            }
            Stage::Collect(collector) => {
                self.metrics.rows_out.add(batch.num_rows() as u64);
                collector.write(batch);
            }
        }
        Ok(())
    }

    fn advance(&mut self, node: usize, key: (u32, u32), event: Event) -> Result<()> {
        let Some(target) = self.nodes.get_mut(node) else {
            return Ok(());
        };
        let was_idle = target.inputs.is_idle();
        let had_ended = target.inputs.all_ended();
        let moved = match event {
            Event::Watermark(watermark) => target.inputs.advance(&key, watermark),
            Event::Idle => target.inputs.idle(&key),
            Event::End => target.inputs.end(&key),
            Event::Batch(_) => None,
        };
        let idle = target.inputs.is_idle();
        let ended = target.inputs.all_ended() && !had_ended;
        if let Some(watermark) = moved {
            self.metrics.watermark.set(watermark);
            self.call(node, |operator, output| {
                operator.watermark(watermark, output)
            })?;
            let behind = self.nodes.get(node).map(|n| n.stage.behind(watermark));
            let behind = behind.unwrap_or(watermark);
            self.route_all(node, Event::Watermark(behind))?;
        }
        if idle && !was_idle {
            self.call(node, |operator, output| operator.hand_over(output))?;
            self.route_all(node, Event::Idle)?;
        }
        if was_idle && !idle && !ended && moved.is_none() {
            // The same watermark once more says that it counts again.
            let current = match self.nodes.get(node) {
                Some(node) => node.stage.behind(node.inputs.current()),
                None => return Ok(()),
            };
            self.route_all(node, Event::Watermark(current))?;
        }
        if ended {
            self.call(node, |operator, output| operator.finish(output))?;
            self.route_all(node, Event::End)?;
        }
        Ok(())
    }

    /// Calls an operator (nothing for other stages) and routes what it emits.
    fn call(
        &mut self,
        node: usize,
        call: impl FnOnce(&mut dyn Operator, &mut Output) -> Result<()>,
    ) -> Result<()> {
        let Some(target) = self.nodes.get_mut(node) else {
            return Ok(());
        };
        let Stage::Operator(operator) = &mut target.stage else {
            return Ok(());
        };
        let started = Instant::now();
        call(operator.as_mut(), &mut self.output).map_err(|e| e.at(&target.name))?;
        self.metrics
            .busy_ns
            .add(started.elapsed().as_nanos() as u64);
        self.route_output(node)
    }

    fn route_output(&mut self, node: usize) -> Result<()> {
        let batches: Vec<Batch> = self.output.drain().collect();
        for batch in batches {
            self.route(node, OutputPort::Main, Event::Batch(batch))?;
        }
        Ok(())
    }

    /// Sends an event about time to the targets of all ports.
    fn route_all(&mut self, node: usize, event: Event) -> Result<()> {
        let targets = self
            .nodes
            .get(node)
            .map(|n| n.targets.clone())
            .unwrap_or_default();
        for (_, target) in targets {
            self.send(target, event.clone())?;
        }
        Ok(())
    }

    fn route(&mut self, node: usize, port: OutputPort, event: Event) -> Result<()> {
        let count = self.nodes.get(node).map_or(0, |n| n.targets.len());
        for position in 0..count {
            let Some((of, target)) = self.nodes.get(node).and_then(|n| n.targets.get(position))
            else {
                continue;
            };
            let target = *target;
            // What concerns time concerns the side outputs too.
            if *of == port || !matches!(event, Event::Batch(_)) {
                self.send(target, event.clone())?;
            }
        }
        Ok(())
    }

    fn send(&mut self, target: Target, event: Event) -> Result<()> {
        match target {
            Target::Chained { node, input } => {
                self.queue.push_back(Step {
                    node,
                    input,
                    channel: 0,
                    event,
                });
                Ok(())
            }
            Target::Edge(index) => {
                let Some(edge) = self.edges.get_mut(index) else {
                    return Ok(());
                };
                match event {
                    Event::Batch(batch) => {
                        self.metrics.rows_out.add(batch.num_rows() as u64);
                        self.metrics.batches_out.add(1);
                        self.metrics.bytes_out.add(batch.byte_size() as u64);
                        edge.push(batch)
                    }
                    Event::Watermark(w) => edge.broadcast(&Element::Watermark(w)),
                    Event::Idle => edge.broadcast(&Element::Idle),
                    Event::End => edge.broadcast(&Element::EndOfInput),
                }
            }
        }
    }

    /// No input is waiting: what piles up goes, and sinks let go of what they buffer.
    pub fn run_dry(&mut self) {
        for node in &mut self.nodes {
            if let Stage::Sink(sink) = &mut node.stage {
                sink.run_dry();
            }
        }
    }

    /// Lets go what is due, and all if the input has run dry; pending while others hold that up.
    pub fn poll_outlets(&mut self, context: &mut Context<'_>, dry: bool) -> Poll<Result<()>> {
        let mut done = Poll::Ready(Ok(()));
        for edge in &mut self.edges {
            match edge.poll_send(context, dry) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => done = Poll::Pending,
            }
        }
        for node in &mut self.nodes {
            let polled = match &mut node.stage {
                Stage::Sink(sink) => sink.poll(context),
                Stage::Collect(collector) => collector.poll(context),
                _ => continue,
            };
            match polled {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error.at(&node.name))),
                Poll::Pending => done = Poll::Pending,
            }
        }
        done
    }

    /// Whether so much waits for others that no input may be taken.
    pub fn is_full(&self) -> bool {
        self.edges.iter().any(EdgeOutput::is_full) || self.waits_at_its_end()
    }

    /// Whether anything waits for others.
    pub fn has_unsent(&self) -> bool {
        self.edges.iter().any(EdgeOutput::has_unsent) || self.waits_at_its_end()
    }

    fn waits_at_its_end(&self) -> bool {
        self.nodes.iter().any(|node| match &node.stage {
            Stage::Sink(sink) => sink.is_busy(),
            Stage::Collect(collector) => collector.is_busy(),
            _ => false,
        })
    }

    /// The earliest moment at which an operator or sink wants to be called, in milliseconds.
    pub fn deadline_ms(&self) -> Option<i64> {
        let of = |node: &Node| match &node.stage {
            Stage::Operator(operator) => operator.deadline_ms(),
            Stage::Sink(sink) => sink.deadline_ms(),
            _ => None,
        };
        self.nodes.iter().filter_map(of).min()
    }

    /// Calls the operators and sinks whose deadline has come; false if there are none.
    pub fn fire_timers(&mut self) -> Result<bool> {
        let now = self.clock.now_ms();
        if self.deadline_ms().is_none_or(|deadline| deadline > now) {
            return Ok(false);
        }
        for node in 0..self.nodes.len() {
            let due = |deadline: Option<i64>| deadline.is_some_and(|d| d <= now);
            match &mut self.nodes[node].stage {
                Stage::Operator(operator) if due(operator.deadline_ms()) => {
                    self.call(node, |operator, output| operator.timer(now, output))?;
                    self.run()?;
                }
                Stage::Sink(sink) if due(sink.deadline_ms()) => sink.run_dry(),
                _ => {}
            }
        }
        Ok(true)
    }

    /// A barrier: sends it on behind what the operators still have to say, has the sinks prepare, and
    /// with `keeps_state` cuts the state of all operators. Without, nobody could restore it.
    pub fn cut(&mut self, barrier: Barrier, keeps_state: bool) -> Result<Vec<KeyedSnapshot>> {
        for node in 0..self.nodes.len() {
            self.call(node, |operator, output| operator.hand_over(output))?;
            self.run()?;
        }
        for edge in &mut self.edges {
            edge.broadcast(&Element::Barrier(barrier))?;
        }
        let mut snapshots = Vec::new();
        for node in &mut self.nodes {
            match &mut node.stage {
                Stage::Operator(operator) => {
                    let held = operator.memory_bytes() as i64;
                    if !keeps_state {
                        self.metrics.state_bytes.set(held);
                        continue;
                    }
                    let Some(state) = operator.state().map_err(|e| e.at(&node.name))? else {
                        continue;
                    };
                    self.metrics
                        .state_bytes
                        .set(held + state.size_bytes() as i64);
                    snapshots.push(KeyedSnapshot {
                        uid: node.uid.clone(),
                        name: node.name.clone(),
                        delta: state.take_delta(),
                    });
                }
                Stage::Sink(sink) => sink.prepare(barrier.checkpoint_id),
                _ => {}
            }
        }
        Ok(snapshots)
    }

    /// The sinks, with their nodes' ids and names.
    pub fn sinks(&self) -> impl Iterator<Item = (&str, &str, &SinkStage)> {
        self.nodes.iter().filter_map(|node| match &node.stage {
            Stage::Sink(sink) => Some((node.uid.as_str(), node.name.as_str(), sink.as_ref())),
            _ => None,
        })
    }

    /// A checkpoint is complete: sinks commit what they prepared for it.
    pub fn checkpoint_complete(&mut self, checkpoint_id: u64) {
        for node in &mut self.nodes {
            if let Stage::Sink(sink) = &mut node.stage {
                sink.commit_up_to(checkpoint_id);
            }
        }
    }
}
