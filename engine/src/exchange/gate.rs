//! The receiving end of a subtask: all of its channels, and how barriers cut them.

use std::collections::VecDeque;

use tokio::sync::mpsc;

use super::{Credit, Delivery};
use crate::element::{Barrier, Element};

/// Merges the channels of a subtask and lines up barriers.
///
/// After a channel has delivered a barrier, its further elements wait (their credit is not
/// returned, so they are bounded) until all channels have delivered it. A barrier that may overtake
/// does not wait: [`InputGate::overtake`] cuts where the subtask stands, and what the barrier has
/// overtaken, on each channel up to the barrier there, is recorded as it arrives.
pub struct InputGate {
    queue: mpsc::Receiver<Delivery>,
    channels: usize,
    /// Barriers of this job may overtake: they are looked for behind what waits in front of them.
    overtaking: bool,
    alignment: Option<Alignment>,
    recording: Option<Recording>,
    /// A barrier that may overtake and stands in `ready`.
    waiting: Option<Barrier>,
    /// The last checkpoint that was cut; barriers up to it mean nothing any more.
    passed: u64,
    /// Elements that have arrived and were not looked at, in order.
    ready: VecDeque<Delivery>,
}

struct Alignment {
    barrier: Barrier,
    arrived: Vec<bool>,
    held: VecDeque<Delivery>,
}

struct Recording {
    barrier: Barrier,
    arrived: Vec<bool>,
    elements: Vec<Vec<Element>>,
}

/// What a gate hands to its subtask.
#[derive(Debug)]
pub enum Arrival {
    /// Anything but a barrier.
    Element {
        /// The channel's ordinal.
        channel: usize,
        /// The element.
        element: Element,
        /// To be dropped when the element has been processed.
        credit: Credit,
    },
    /// A barrier that has arrived on all channels.
    Barrier(Barrier),
}

impl InputGate {
    /// A gate over `channels` channels that deliver into `queue`; `overtaking` says whether barriers
    /// may overtake.
    pub fn new(queue: mpsc::Receiver<Delivery>, channels: usize, overtaking: bool) -> Self {
        InputGate {
            queue,
            channels,
            overtaking,
            alignment: None,
            recording: None,
            waiting: None,
            passed: 0,
            ready: VecDeque::new(),
        }
    }

    /// What is there without waiting. Where barriers may overtake, that is what was gathered: what an
    /// arrival means for a checkpoint under way is never left to the next one.
    pub fn try_next(&mut self) -> Option<Arrival> {
        loop {
            let delivery = match self.ready.pop_front() {
                None if !self.overtaking => self.queue.try_recv().ok(),
                delivery => delivery,
            };
            if let Some(arrival) = self.accept(delivery?) {
                return Some(arrival);
            }
        }
    }

    /// Waits until there is something to look at, or nothing more can come. Cancel-safe.
    pub async fn arrived(&mut self) {
        if self.ready.is_empty() {
            self.arrival().await;
        }
    }

    /// Waits for an arrival while the subtask cannot take any, for the sake of barriers that may
    /// overtake; without such barriers it waits for ever. Cancel-safe.
    pub async fn watch(&mut self) {
        if !self.overtaking {
            std::future::pending::<()>().await;
        }
        self.arrival().await;
    }

    /// Waits for an arrival and takes it in. Cancel-safe.
    async fn arrival(&mut self) {
        match self.queue.recv().await {
            Some(delivery) => {
                let delivery = self.receive(delivery);
                self.ready.extend(delivery);
            }
            None => std::future::pending().await,
        }
    }

    /// Takes in what has arrived, where barriers may overtake it: before anybody asks for barriers, for
    /// what they have overtaken or for elements. Bounded, since the credit is not returned.
    pub fn gather(&mut self) {
        if !self.overtaking {
            return;
        }
        while let Ok(delivery) = self.queue.try_recv() {
            let delivery = self.receive(delivery);
            self.ready.extend(delivery);
        }
    }

    /// Notes what an arrival means for barriers that overtake.
    fn receive(&mut self, delivery: Delivery) -> Option<Delivery> {
        let arrived = |r: &Recording| r.arrived.get(delivery.channel).copied().unwrap_or(true);
        let barrier = match &delivery.element {
            Element::Barrier(barrier) => Some(*barrier),
            _ => None,
        };
        if let Some(recording) = self.recording.as_mut().filter(|r| !arrived(r)) {
            match barrier {
                Some(barrier) if barrier.checkpoint_id == recording.barrier.checkpoint_id => {
                    recording.arrived[delivery.channel] = true;
                    return None;
                }
                // The barrier that was recorded for was given up by those in front.
                Some(barrier) if barrier.checkpoint_id > recording.barrier.checkpoint_id => {
                    self.recording = None;
                }
                Some(_) => {}
                None => recording.elements[delivery.channel].push(delivery.element.clone()),
            }
        }
        if let Some(barrier) = barrier.filter(|b| b.overtakes_at_ms.is_some())
            && barrier.checkpoint_id > self.passed
        {
            self.waiting = Some(barrier);
        }
        Some(delivery)
    }

    fn accept(&mut self, delivery: Delivery) -> Option<Arrival> {
        let channel = delivery.channel;
        if let Some(alignment) = &mut self.alignment
            && alignment.arrived.get(channel).copied().unwrap_or(false)
        {
            alignment.held.push_back(delivery);
            return None;
        }
        let Delivery {
            element, credit, ..
        } = delivery;
        match element {
            Element::Barrier(barrier) if barrier.checkpoint_id <= self.passed => None,
            Element::Barrier(barrier) => self.align(channel, barrier),
            element => Some(Arrival::Element {
                channel,
                element,
                credit,
            }),
        }
    }

    fn align(&mut self, channel: usize, barrier: Barrier) -> Option<Arrival> {
        // A newer barrier says that an older one has been given up.
        let older = |a: &mut Alignment| a.barrier.checkpoint_id < barrier.checkpoint_id;
        if let Some(given_up) = self.alignment.take_if(older) {
            self.release(given_up.held);
        }
        let channels = self.channels;
        let alignment = self.alignment.get_or_insert_with(|| Alignment {
            barrier,
            arrived: vec![false; channels],
            held: VecDeque::new(),
        });
        if let Some(arrived) = alignment.arrived.get_mut(channel) {
            *arrived = true;
        }
        if alignment.arrived.contains(&false) {
            return None;
        }
        let done = self.alignment.take()?;
        self.release(done.held);
        self.pass(done.barrier);
        Some(Arrival::Barrier(done.barrier))
    }

    /// What was held comes before anything that has not been looked at, in the order of arrival.
    fn release(&mut self, held: VecDeque<Delivery>) {
        for delivery in held.into_iter().rev() {
            self.ready.push_front(delivery);
        }
    }

    fn pass(&mut self, barrier: Barrier) {
        self.passed = barrier.checkpoint_id;
        self.recording = None;
        self.waiting.take_if(|w| w.checkpoint_id <= self.passed);
    }

    fn foremost(&self) -> Option<Barrier> {
        let aligning = self.alignment.as_ref().map(|a| a.barrier);
        let may_overtake = |b: &Barrier| b.overtakes_at_ms.is_some();
        let barriers = [aligning, self.waiting].into_iter().flatten();
        barriers
            .filter(may_overtake)
            .max_by_key(|b| b.checkpoint_id)
    }

    /// When a barrier that is there will overtake what is in front of it, in milliseconds of the
    /// clock.
    pub fn overtakes_at_ms(&self) -> Option<i64> {
        self.foremost()?.overtakes_at_ms
    }

    /// A barrier that overtakes now: the subtask is cut where it stands, and
    /// [`InputGate::overtaken`] gives what the barrier has overtaken.
    pub fn overtake(&mut self, now_ms: i64) -> Option<Barrier> {
        let barrier = self.foremost()?;
        if barrier.overtakes_at_ms.is_none_or(|at| at > now_ms) {
            return None;
        }
        let mut arrived = vec![false; self.channels];
        if let Some(alignment) = self.alignment.take() {
            if alignment.barrier.checkpoint_id == barrier.checkpoint_id {
                arrived = alignment.arrived;
            }
            self.release(alignment.held);
        }
        self.pass(barrier);
        let mut elements = vec![Vec::new(); self.channels];
        self.ready.retain(|delivery| {
            let channel = delivery.channel;
            match &delivery.element {
                Element::Barrier(other) => {
                    let own = other.checkpoint_id == barrier.checkpoint_id;
                    arrived[channel] |= own;
                    other.checkpoint_id > barrier.checkpoint_id
                }
                element => {
                    if !arrived[channel] {
                        elements[channel].push(element.clone());
                    }
                    true
                }
            }
        });
        self.recording = Some(Recording {
            barrier,
            arrived,
            elements,
        });
        Some(barrier)
    }

    /// What a barrier has overtaken, by channel, once it has arrived on all of them.
    pub fn overtaken(&mut self, checkpoint_id: u64) -> Option<Vec<Vec<Element>>> {
        let done = |r: &mut Recording| {
            r.barrier.checkpoint_id == checkpoint_id && !r.arrived.contains(&false)
        };
        self.recording.take_if(done).map(|r| r.elements)
    }
}
