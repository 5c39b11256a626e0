//! A checkpoint in one subtask, from the moment that cuts it until all that belongs to it is known.
//!
//! Keyed state and the positions of sources are known at once. Sinks prepare while other things go on. A
//! barrier that may overtake leaves rows behind on both sides of the subtask: at the gate they are
//! recorded until the barrier has arrived on all channels, at the outputs until it has left.

use tokio::sync::oneshot;

use super::snapshot::{Overtaken, Rest};
use super::{Input, Route, Subtask};
use crate::checkpoint::{ChannelTime, InFlight, Leg, OperatorCheckpoint};
use crate::element::{Barrier, BarrierKind, Element};
use crate::error::Result;
use crate::time::MAX_WATERMARK;

#[cfg(test)]
mod tests;

/// How long a sink may take to flush before a barrier that overtakes goes past it, in milliseconds.
const FLUSH_MS: i64 = 300;

/// A checkpoint that is under way in a subtask.
pub(super) struct Cut {
    barrier: Barrier,
    /// When sinks are waited for no longer; `None` waits for them as long as they take.
    flush_until_ms: Option<i64>,
    /// Rows are being recorded at the gate.
    recording: bool,
    /// The sinks that have not prepared yet.
    preparing: Vec<String>,
    rest: Rest,
    done: oneshot::Sender<Rest>,
}

impl Subtask {
    /// Cuts the subtask for a checkpoint: where a barrier has arrived on all channels, or with
    /// `overtaking` where it stands.
    pub(super) fn cut(&mut self, barrier: Barrier, overtaking: bool) -> Result<()> {
        self.dry = false;
        self.held = None;
        // Nobody goes on after the last one, and after a savepoint maybe another query.
        let waits = barrier.kind != BarrierKind::Checkpoint;
        self.chain.wait_for_answers(waits);
        // What operators have still to give would all be there at once.
        let now = self.chain.clock.now_ms();
        let overtakes_at = barrier.overtakes_at_ms;
        let late = overtaking || overtakes_at.is_some_and(|at| at <= now);
        if waits && self.chain.is_asking() || !late && self.chain.has_work() {
            self.held = Some(barrier);
            return Ok(());
        }
        self.chain.wait_for_answers(false);
        let channels = match overtakes_at.is_some() {
            true => self.channel_times(),
            false => Vec::new(),
        };
        let keeps_state = self.uploader.keeps_state();
        let keyed = self.chain.cut(barrier, keeps_state)?;
        let mut operators = Vec::new();
        if let Input::Source(source) = &mut self.input {
            operators.push(OperatorCheckpoint {
                uid: source.uid.clone(),
                name: source.name.clone(),
                splits: source.checkpoint(barrier.checkpoint_id)?,
                ..OperatorCheckpoint::default()
            });
        }
        let overtaken = self.unanswered();
        let sinks = self.chain.sinks().map(|(uid, ..)| uid.to_string());
        let preparing = sinks.collect();
        let (done, rest) = oneshot::channel();
        self.uploader.upload(barrier, keyed, rest);
        // One that was under way is given up: the coordinator has done so before.
        self.under_way = Some(Cut {
            barrier,
            flush_until_ms: overtakes_at.map(|at| at.max(now).saturating_add(FLUSH_MS)),
            recording: overtaking,
            preparing,
            rest: Rest {
                operators,
                overtaken,
                channels,
            },
            done,
        });
        Ok(())
    }

    /// Cuts the subtask for a barrier that has waited, if that has an end.
    pub(super) fn cut_held(&mut self) -> Result<()> {
        match self.held {
            Some(barrier) => self.cut(barrier, false),
            None => Ok(()),
        }
    }

    /// The rows that wait for answers, which are asked for again after a restore.
    fn unanswered(&self) -> Vec<Overtaken> {
        let overtaken = |(operator, name, elements): (String, String, Vec<Element>)| Overtaken {
            at: InFlight {
                operator,
                name,
                from: self.index,
                to: self.index,
                consumers: self.parallelism,
                leg: Leg::Asked,
                ..InFlight::default()
            },
            elements,
        };
        let asked = self.chain.unanswered().into_iter();
        asked
            .filter(|(.., elements)| !elements.is_empty())
            .map(overtaken)
            .collect()
    }

    /// Gathers what belongs to the checkpoint under way, and hands it over when all is there.
    pub(super) fn advance_cut(&mut self) {
        let Some(mut cut) = self.under_way.take() else {
            return;
        };
        let (id, now) = (cut.barrier.checkpoint_id, self.chain.clock.now_ms());
        if cut.barrier.overtakes_at_ms.is_some_and(|at| at <= now) {
            self.overtake_output(&mut cut);
        }
        if cut.recording {
            self.take_recorded(&mut cut);
        }
        let waits = cut.flush_until_ms.is_none_or(|until| until > now);
        self.ask_sinks(&mut cut, waits);
        let may_overtake = cut.barrier.overtakes_at_ms.is_some();
        let held = may_overtake && self.chain.edges.iter().any(|edge| edge.holds(id));
        if cut.recording || !cut.preparing.is_empty() || held {
            self.under_way = Some(cut);
            return;
        }
        // Nobody listening means that the upload has failed, which is reported.
        let _ = cut.done.send(cut.rest);
    }

    /// Lets the barrier leave past everything that waits at the outputs.
    fn overtake_output(&mut self, cut: &mut Cut) {
        let from = self.index;
        for (edge, consumer) in self.chain.edges.iter_mut().zip(&self.consumers) {
            for (to, elements) in edge.overtake(cut.barrier) {
                let at = InFlight {
                    from,
                    to,
                    ..consumer.clone()
                };
                cut.keep(at, elements);
            }
        }
    }

    /// Takes what was recorded at the gate, if that is all there.
    fn take_recorded(&mut self, cut: &mut Cut) {
        let Input::Gate { gate, routes } = &mut self.input else {
            return;
        };
        let Some(channels) = gate.overtaken(cut.barrier.checkpoint_id) else {
            return;
        };
        cut.recording = false;
        for (route, elements) in routes.iter().zip(channels) {
            let Some(node) = self.chain.nodes.get(route.node) else {
                continue;
            };
            let at = InFlight {
                operator: node.uid.clone(),
                name: node.name.clone(),
                input: route.input,
                from: route.from,
                to: self.index,
                consumers: self.parallelism,
                leg: Leg::Arrived,
                partial: node.partial_input,
                ..InFlight::default()
            };
            cut.keep(at, elements);
        }
    }

    /// Takes what sinks have prepared; of those that are waited for no longer, the rows.
    fn ask_sinks(&self, cut: &mut Cut, waits: bool) {
        let id = cut.barrier.checkpoint_id;
        for (uid, name, sink) in self.chain.sinks() {
            let Some(position) = cut.preparing.iter().position(|p| p == uid) else {
                continue;
            };
            let (uid, name) = (uid.to_string(), name.to_string());
            if let Some(committables) = sink.prepared(id) {
                cut.rest.operators.push(OperatorCheckpoint {
                    uid,
                    name,
                    committables,
                    ..OperatorCheckpoint::default()
                });
            } else if let (false, Some(rows)) = (waits, sink.unflushed(id)) {
                let at = InFlight {
                    operator: uid,
                    name,
                    from: self.index,
                    to: self.index,
                    consumers: self.parallelism,
                    leg: Leg::Unflushed,
                    ..InFlight::default()
                };
                cut.keep(at, rows.into_iter().map(Element::Batch).collect());
            } else {
                continue;
            }
            cut.preparing.remove(position);
        }
    }

    /// When a checkpoint wants to be looked at again, in milliseconds.
    pub(super) fn cut_deadline_ms(&self) -> Option<i64> {
        let now = self.chain.clock.now_ms();
        let held = self.held.and_then(|barrier| barrier.overtakes_at_ms);
        let cut = self.under_way.as_ref();
        let overtakes = cut.and_then(|cut| cut.barrier.overtakes_at_ms);
        let preparing = cut.filter(|cut| !cut.preparing.is_empty());
        let flush = preparing.and_then(|cut| cut.flush_until_ms);
        let times = [held, overtakes, flush].into_iter().flatten();
        times.filter(|at| *at > now).min()
    }

    fn channel_times(&self) -> Vec<ChannelTime> {
        let Input::Gate { routes, .. } = &self.input else {
            return Vec::new();
        };
        let time = |route: &Route| {
            let node = self.chain.nodes.get(route.node)?;
            let key = (route.input, route.from);
            let watermark = node.inputs.of(&key)?;
            let ended = node.inputs.has_ended(&key) || watermark == MAX_WATERMARK;
            Some(ChannelTime {
                operator: node.uid.clone(),
                input: route.input,
                from: route.from,
                to: self.index,
                consumers: self.parallelism,
                watermark,
                silent: ended || node.inputs.is_input_idle(&key),
            })
        };
        routes.iter().filter_map(time).collect()
    }
}

impl Cut {
    fn keep(&mut self, at: InFlight, mut elements: Vec<Element>) {
        // The end of the input comes again from the source.
        let ends =
            |e: &Element| matches!(e, Element::EndOfInput | Element::Watermark(MAX_WATERMARK));
        elements.retain(|e| !ends(e) && !matches!(e, Element::Idle));
        if !elements.is_empty() {
            self.rest.overtaken.push(Overtaken { at, elements });
        }
    }
}
