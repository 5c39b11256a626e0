//! Channels between subtasks: bounded in bytes by credit, in this process or across the network.
//!
//! ```text
//!  producer                                   consumer
//!  EdgeOutput ─ partition ─▶ ChannelSender ══▶ InputGate ─▶ subtask
//!                 credits ◀══ dropped Credit ◀──────────────┘
//! ```
//!
//! A receiver grants a window of bytes; a sender spends it. A [`Credit`] travels with each element
//! and returns what it cost when the consumer has processed the element and drops it. Since
//! nothing is sent without credit, every queue here is bounded, and a connection that carries many
//! channels never waits for one of them.

use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::{PollSemaphore, PollSender};

use crate::element::{Barrier, Element};
use crate::error::{EngineError, Result};
use crate::graph::execution::ChannelId;

pub mod frame;
mod gate;
pub mod network;
mod output;

#[cfg(test)]
mod tests;

pub use gate::{Arrival, InputGate};
pub use output::EdgeOutput;

/// What the smallest element costs, in bytes of credit; bounds how many are under way.
const MIN_COST: usize = 256;

/// The sending end of a channel.
pub struct ChannelSender {
    credits: Arc<Semaphore>,
    /// Waits for credit; `None` while nobody does.
    waiting: Option<PollSemaphore>,
    /// Credit that was spent for the next element, which waits for room.
    paid: Option<usize>,
    window: usize,
    transport: Transport,
}

enum Transport {
    /// To a gate of this process: its queue and the channel's ordinal there.
    Local(PollSender<Delivery>, usize),
    /// To another process: the connection's queue.
    Remote(PollSender<network::Outgoing>, ChannelId),
}

/// An element on its way, with the credit that it cost.
#[derive(Debug)]
pub struct Delivery {
    /// The channel's ordinal at the gate.
    pub channel: usize,
    /// The element.
    pub element: Element,
    /// Returned to the sender when dropped.
    pub credit: Credit,
}

/// Credit that was spent; goes back to the sender when dropped.
#[derive(Debug)]
pub struct Credit(CreditOwner, usize);

#[derive(Debug)]
enum CreditOwner {
    Local(Arc<Semaphore>),
    Remote(Arc<network::Grants>, ChannelId),
}

impl Drop for Credit {
    fn drop(&mut self) {
        match &self.0 {
            CreditOwner::Local(credits) => credits.add_permits(self.1),
            CreditOwner::Remote(grants, channel) => grants.grant(*channel, self.1),
        }
    }
}

/// How many barriers may be under way on a channel beside what its credit allows: those that overtake
/// cost none. More are dropped, which fails their checkpoints and nothing else.
const FREE_BARRIERS: usize = 8;

/// How many elements a queue must hold when `channels` channels may each have `window` bytes
/// under way.
pub fn queue_capacity(channels: usize, window: usize) -> usize {
    channels.max(1) * (window / MIN_COST + 2 + FREE_BARRIERS)
}

/// What an element costs, in bytes of credit.
fn cost(element: &Element) -> usize {
    match element {
        Element::Batch(batch) => batch.byte_size().max(MIN_COST),
        _ => MIN_COST,
    }
}

impl ChannelSender {
    /// A channel to a gate of this process.
    pub fn local(queue: mpsc::Sender<Delivery>, ordinal: usize, window: usize) -> Self {
        let transport = Transport::Local(PollSender::new(queue), ordinal);
        Self::new(Arc::new(Semaphore::new(window)), window, transport)
    }

    /// A channel over a connection; `credits` is what the connection adds grants to.
    pub fn remote(
        connection: mpsc::Sender<network::Outgoing>,
        channel: ChannelId,
        credits: Arc<Semaphore>,
        window: usize,
    ) -> Self {
        let transport = Transport::Remote(PollSender::new(connection), channel);
        Self::new(credits, window, transport)
    }

    fn new(credits: Arc<Semaphore>, window: usize, transport: Transport) -> Self {
        ChannelSender {
            credits,
            waiting: None,
            paid: None,
            window,
            transport,
        }
    }

    /// Whether the consumer has processed everything that was sent.
    pub fn is_free(&self) -> bool {
        self.credits.available_permits() >= self.window
    }

    /// Waits until the consumer has processed everything that was sent.
    pub async fn freed(&mut self) -> Result<()> {
        self.waiting = None;
        let all = self.credits.acquire_many(self.window as u32).await;
        all.map(drop).map_err(|_| closed())
    }

    /// Spends credit for the next element, which costs `cost`, if that has not been done; one larger
    /// than the window waits for all of it.
    fn poll_credit(&mut self, context: &mut Context<'_>, cost: usize) -> Poll<Result<()>> {
        if self.paid.is_some() {
            return Poll::Ready(Ok(()));
        }
        let cost = cost.min(self.window);
        if self.waiting.is_none()
            && let Ok(permits) = self.credits.try_acquire_many(cost as u32)
        {
            permits.forget();
            self.paid = Some(cost);
            return Poll::Ready(Ok(()));
        }
        let credits = || PollSemaphore::new(Arc::clone(&self.credits));
        let waiting = self.waiting.get_or_insert_with(credits);
        let permits = ready!(waiting.poll_acquire_many(context, cost as u32));
        self.waiting = None;
        permits.ok_or_else(closed)?.forget();
        self.paid = Some(cost);
        Poll::Ready(Ok(()))
    }

    /// Waits for credit no longer, and gives back what there is of it.
    fn cease_waiting(&mut self) {
        self.waiting = None;
    }

    /// Sends an element whose credit is spent as soon as the queue behind this channel has room.
    fn poll_send(
        &mut self,
        context: &mut Context<'_>,
        element: impl FnOnce() -> Element,
    ) -> Poll<Result<()>> {
        ready!(self.poll_room(context))?;
        let cost = self.paid.take().unwrap_or_default();
        Poll::Ready(self.send(element(), cost))
    }

    /// Sends a barrier past everything that waits for credit.
    fn poll_send_past(&mut self, context: &mut Context<'_>, barrier: Barrier) -> Poll<Result<()>> {
        ready!(self.poll_room(context))?;
        Poll::Ready(self.send(Element::Barrier(barrier), 0))
    }

    /// Whether the queue behind this channel takes another element.
    fn poll_room(&mut self, context: &mut Context<'_>) -> Poll<Result<()>> {
        match &mut self.transport {
            Transport::Local(queue, _) => queue.poll_reserve(context).map_err(|_| closed()),
            Transport::Remote(queue, _) => queue.poll_reserve(context).map_err(|_| closed()),
        }
    }

    /// Sends into the room that was found, for credit that was spent.
    fn send(&mut self, element: Element, cost: usize) -> Result<()> {
        match &mut self.transport {
            Transport::Local(queue, ordinal) => {
                let credit = Credit(CreditOwner::Local(Arc::clone(&self.credits)), cost);
                let delivery = Delivery {
                    channel: *ordinal,
                    element,
                    credit,
                };
                queue.send_item(delivery).map_err(|_| closed())
            }
            Transport::Remote(queue, channel) => {
                let outgoing = network::Outgoing {
                    channel: *channel,
                    cost,
                    element,
                };
                queue.send_item(outgoing).map_err(|_| closed())
            }
        }
    }
}

fn closed() -> EngineError {
    EngineError::network("the consumer of a channel is gone")
}
