//! The operators of a subtask and how rows, time and the end of input pass through them.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use arrow::datatypes::SchemaRef;

use super::lookup::LookupStage;
use super::sink::{Collector, SinkStage};
use crate::element::{Barrier, Batch, Element};
use crate::error::Result;
use crate::exchange::EdgeOutput;
use crate::graph::OutputPort;
use crate::metrics::SubtaskMetrics;
use crate::operator::{Operator, Output};
use crate::state::Delta;
use crate::time::{Clock, EventTime, WatermarkMerger};

mod answers;
#[cfg(test)]
mod tests;

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
    /// Asks a table, and goes on when that has answered.
    Lookup(Box<LookupStage>),
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
    /// By node: what waits for an operator that has more to give.
    unfinished: Vec<Option<VecDeque<Act>>>,
    output: Output,
    /// No input is taken until all questions are answered.
    waits_for_answers: bool,
}

/// What is to be done at a node.
struct Step {
    node: usize,
    act: Act,
}

enum Act {
    /// Take what an input has brought.
    Take {
        input: u32,
        channel: u32,
        event: Event,
    },
    /// Say that event time has moved.
    Watermark(EventTime),
    /// Say so to what follows.
    ForwardWatermark(EventTime),
    /// Say that what is held back must go.
    HandOver,
    /// Say that the input has ended.
    Finish,
    /// Say something to all that follow.
    Forward(Event),
    /// Ask for more of what the last call gave.
    GoOn,
}

impl Step {
    fn take(node: usize, input: u32, channel: u32, event: Event) -> Self {
        let act = Act::Take {
            input,
            channel,
            event,
        };
        Step { node, act }
    }
}

impl Chain {
    pub fn new(
        nodes: Vec<Node>,
        edges: Vec<EdgeOutput>,
        metrics: Arc<SubtaskMetrics>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Chain {
            unfinished: nodes.iter().map(|_| None).collect(),
            nodes,
            edges,
            metrics,
            clock,
            queue: VecDeque::new(),
            output: Output::default(),
            waits_for_answers: false,
        }
    }

    /// Passes an event of a channel to an input and on through the chain.
    pub fn push(&mut self, node: usize, input: u32, channel: u32, event: Event) -> Result<()> {
        self.queue
            .push_back(Step::take(node, input, channel, event));
        self.run()
    }

    /// Passes on what a source at the head has to say.
    pub fn emit(&mut self, node: usize, port: OutputPort, event: Event) -> Result<()> {
        self.route(node, port, event)?;
        self.run()
    }

    /// Whether every operator has seen the end of all its inputs, and has nothing more to give.
    pub fn has_ended(&self) -> bool {
        let ended = |n: &Node| matches!(n.stage, Stage::Source) || n.inputs.all_ended();
        !self.has_work() && !self.is_asking() && self.nodes.iter().all(ended)
    }

    /// Whether an operator has more to give, which was not asked for since too much waited for others.
    pub fn has_work(&self) -> bool {
        !self.queue.is_empty() || self.has_answers()
    }

    /// Does what is to be done, and lets go what has an answer, but asks nobody for more while too much waits for
    /// others.
    pub fn run(&mut self) -> Result<()> {
        self.take_steps()?;
        while self.has_answers() {
            self.give_answers()?;
            self.take_steps()?;
        }
        Ok(())
    }

    fn take_steps(&mut self) -> Result<()> {
        // First in, first out keeps the order on every path from operator to operator.
        while let Some(step) = self.queue.pop_front() {
            if matches!(step.act, Act::GoOn) && self.is_full() {
                self.queue.push_front(step);
                return Ok(());
            }
            self.take_step(step)?;
        }
        Ok(())
    }

    /// Does all there is to be done, however much waits for others.
    fn run_through(&mut self) -> Result<()> {
        while let Some(step) = self.queue.pop_front() {
            self.take_step(step)?;
        }
        Ok(())
    }

    fn take_step(&mut self, Step { node, act }: Step) -> Result<()> {
        let unfinished = self.unfinished.get_mut(node).and_then(Option::as_mut);
        if let (Some(waiting), false) = (unfinished, matches!(act, Act::GoOn)) {
            waiting.push_back(act);
            return Ok(());
        }
        match act {
            Act::Take {
                input,
                channel,
                event: Event::Batch(batch),
            } => self.process(node, input, channel, batch),
            Act::Take {
                input,
                channel,
                event,
            } => {
                self.advance(node, (input, channel), event);
                Ok(())
            }
            Act::Watermark(watermark) => self.call(node, |operator, output| {
                operator.watermark(watermark, output)
            }),
            Act::ForwardWatermark(watermark) => {
                let behind = self.nodes.get(node).map(|n| n.stage.behind(watermark));
                self.pass_on(node, Event::Watermark(behind.unwrap_or(watermark)))
            }
            Act::HandOver => self.call(node, |operator, output| operator.hand_over(output)),
            Act::Finish => self.call(node, |operator, output| operator.finish(output)),
            Act::Forward(event) => self.pass_on(node, event),
            Act::GoOn => self.go_on(node),
        }
    }

    /// Has an operator give more of what its last call left, and lets in what has waited for that.
    fn go_on(&mut self, node: usize) -> Result<()> {
        let waiting = self.unfinished.get_mut(node).and_then(Option::take);
        self.call(node, |operator, output| operator.give_more(output))?;
        let waiting = waiting.unwrap_or_default();
        match self.unfinished.get_mut(node) {
            Some(Some(unfinished)) => *unfinished = waiting,
            _ => self.put_first(node, waiting.into_iter()),
        }
        Ok(())
    }

    fn put_first(&mut self, node: usize, acts: impl DoubleEndedIterator<Item = Act>) {
        for act in acts.rev() {
            self.queue.push_front(Step { node, act });
        }
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
                let has_more = operator.has_more();
                self.route_output(node, has_more)?;
            }
            Stage::Lookup(lookup) => lookup.take(batch).map_err(|e| place(e, &target.name))?,
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

    fn advance(&mut self, node: usize, key: (u32, u32), event: Event) {
        let Some(target) = self.nodes.get_mut(node) else {
            return;
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
        let mut acts = Vec::new();
        if let Some(watermark) = moved {
            self.metrics.watermark.set(watermark);
            acts.extend([Act::Watermark(watermark), Act::ForwardWatermark(watermark)]);
        }
        if idle && !was_idle {
            acts.extend([Act::HandOver, Act::Forward(Event::Idle)]);
        }
        if was_idle && !idle && !ended && moved.is_none() {
            // The same watermark once more says that it counts again.
            acts.push(Act::ForwardWatermark(target.inputs.current()));
        }
        if ended {
            acts.extend([Act::Finish, Act::Forward(Event::End)]);
        }
        self.put_first(node, acts.into_iter());
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
        let has_more = operator.has_more();
        self.route_output(node, has_more)
    }

    /// Passes on what an operator has given; what it has more is asked for when that has gone its way.
    fn route_output(&mut self, node: usize, has_more: bool) -> Result<()> {
        let batches: Vec<Batch> = self.output.drain().collect();
        for batch in batches {
            self.route(node, OutputPort::Main, Event::Batch(batch))?;
        }
        if has_more {
            if let Some(unfinished) = self.unfinished.get_mut(node) {
                unfinished.get_or_insert_default();
            }
            self.queue.push_back(Step {
                node,
                act: Act::GoOn,
            });
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
                self.queue.push_back(Step::take(node, input, 0, event));
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
                Stage::Lookup(lookup) => lookup.poll(context),
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
        self.is_blocked() || self.asks_enough()
    }

    /// Whether so much waits for others that nothing more may be made.
    fn is_blocked(&self) -> bool {
        self.edges.iter().any(EdgeOutput::is_full) || self.waits_at_its_end()
    }

    /// Whether anything waits for others.
    pub fn has_unsent(&self) -> bool {
        let unsent = self.edges.iter().any(EdgeOutput::has_unsent);
        unsent || self.waits_at_its_end() || self.is_asking()
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
            if self.unfinished.get(node).is_some_and(Option::is_some) {
                continue;
            }
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
        self.run_through()?;
        for node in 0..self.nodes.len() {
            self.call(node, |operator, output| operator.hand_over(output))?;
            self.run_through()?;
        }
        for edge in &mut self.edges {
            edge.broadcast(&Element::Barrier(barrier))?;
        }
        let mut snapshots = Vec::new();
        let mut held = 0;
        for node in &mut self.nodes {
            match &mut node.stage {
                Stage::Operator(operator) => {
                    held += operator.memory_bytes() as i64;
                    if !keeps_state {
                        continue;
                    }
                    let Some(state) = operator.state().map_err(|e| e.at(&node.name))? else {
                        continue;
                    };
                    held += state.size_bytes() as i64;
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
        self.metrics.state_bytes.set(held);
        Ok(snapshots)
    }

    /// The sinks, with their nodes' ids and names.
    pub fn sinks(&self) -> impl Iterator<Item = (&str, &str, &SinkStage)> {
        self.nodes.iter().filter_map(|node| match &node.stage {
            Stage::Sink(sink) => Some((node.uid.as_str(), node.name.as_str(), sink.as_ref())),
            _ => None,
        })
    }

    /// Whether a sink holds so much for the next checkpoint that it should come; true once for each.
    pub fn wants_checkpoint(&mut self) -> bool {
        let wants = |node: &mut Node| match &mut node.stage {
            Stage::Sink(sink) => sink.wants_checkpoint(),
            _ => false,
        };
        self.nodes.iter_mut().map(wants).fold(false, |a, b| a | b)
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
