//! The receiving end of a subtask: all of its channels, with barriers aligned.

use std::collections::VecDeque;

use tokio::sync::mpsc;

use super::{Credit, Delivery};
use crate::element::{Barrier, Element};

/// Merges the channels of a subtask and aligns barriers.
///
/// After a channel has delivered a barrier, its further elements wait (their credit is not
/// returned, so they are bounded) until all channels have delivered it.
pub struct InputGate {
    queue: mpsc::Receiver<Delivery>,
    channels: usize,
    alignment: Option<Alignment>,
    /// Elements that arrived behind a barrier, or were released by its completion.
    ready: VecDeque<Delivery>,
}

struct Alignment {
    barrier: Barrier,
    arrived: Vec<bool>,
    missing: usize,
    held: VecDeque<Delivery>,
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
    /// A gate over `channels` channels that deliver into `queue`.
    pub fn new(queue: mpsc::Receiver<Delivery>, channels: usize) -> Self {
        InputGate {
            queue,
            channels,
            alignment: None,
            ready: VecDeque::new(),
        }
    }

    /// What is there without waiting.
    pub fn try_next(&mut self) -> Option<Arrival> {
        loop {
            let delivery = match self.ready.pop_front() {
                Some(delivery) => delivery,
                None => self.queue.try_recv().ok()?,
            };
            if let Some(arrival) = self.accept(delivery) {
                return Some(arrival);
            }
        }
    }

    /// Waits for the next arrival; `None` when all senders are gone. Cancel-safe.
    pub async fn next(&mut self) -> Option<Arrival> {
        loop {
            let delivery = match self.ready.pop_front() {
                Some(delivery) => delivery,
                None => self.queue.recv().await?,
            };
            if let Some(arrival) = self.accept(delivery) {
                return Some(arrival);
            }
        }
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
        let Element::Barrier(barrier) = element else {
            return Some(Arrival::Element {
                channel,
                element,
                credit,
            });
        };
        self.align(channel, barrier)
    }

    fn align(&mut self, channel: usize, barrier: Barrier) -> Option<Arrival> {
        let channels = self.channels;
        let alignment = self.alignment.get_or_insert_with(|| Alignment {
            barrier,
            arrived: vec![false; channels],
            missing: channels,
            held: VecDeque::new(),
        });
        if let Some(arrived) = alignment.arrived.get_mut(channel) {
            *arrived = true;
            alignment.missing -= 1;
        }
        if alignment.missing > 0 {
            return None;
        }
        let done = self.alignment.take()?;
        // What was held comes before anything still queued, in the order of arrival.
        for delivery in done.held.into_iter().rev() {
            self.ready.push_front(delivery);
        }
        Some(Arrival::Barrier(done.barrier))
    }
}
