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

use tokio::sync::{Semaphore, mpsc};

use crate::element::Element;
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
    window: usize,
    transport: Transport,
}

enum Transport {
    /// To a gate of this process: its queue and the channel's ordinal there.
    Local(mpsc::Sender<Delivery>, usize),
    /// To another process: the connection's queue.
    Remote(mpsc::Sender<network::Outgoing>, ChannelId),
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

/// How many elements a queue must hold when `channels` channels may each have `window` bytes
/// under way.
pub fn queue_capacity(channels: usize, window: usize) -> usize {
    channels.max(1) * (window / MIN_COST + 2)
}

impl ChannelSender {
    /// A channel to a gate of this process.
    pub fn local(queue: mpsc::Sender<Delivery>, ordinal: usize, window: usize) -> Self {
        let credits = Arc::new(Semaphore::new(window));
        ChannelSender {
            credits,
            window,
            transport: Transport::Local(queue, ordinal),
        }
    }

    /// A channel over a connection; `credits` is what the connection adds grants to.
    pub fn remote(
        connection: mpsc::Sender<network::Outgoing>,
        channel: ChannelId,
        credits: Arc<Semaphore>,
        window: usize,
    ) -> Self {
        ChannelSender {
            credits,
            window,
            transport: Transport::Remote(connection, channel),
        }
    }

    /// Whether the consumer has processed everything that was sent.
    pub fn is_free(&self) -> bool {
        self.credits.available_permits() >= self.window
    }

    /// Sends an element as soon as there is credit for it.
    pub async fn send(&self, element: Element) -> Result<()> {
        let size = match &element {
            Element::Batch(batch) => batch.byte_size(),
            _ => 0,
        };
        // A batch larger than the window waits for all of it.
        let cost = size.max(MIN_COST).min(self.window);
        let permits = self
            .credits
            .acquire_many(cost as u32)
            .await
            .map_err(|_| closed())?;
        permits.forget();
        match &self.transport {
            Transport::Local(queue, ordinal) => {
                let credit = Credit(CreditOwner::Local(Arc::clone(&self.credits)), cost);
                let delivery = Delivery {
                    channel: *ordinal,
                    element,
                    credit,
                };
                queue.send(delivery).await.map_err(|_| closed())
            }
            Transport::Remote(connection, channel) => {
                let outgoing = network::Outgoing {
                    channel: *channel,
                    cost,
                    element,
                };
                connection.send(outgoing).await.map_err(|_| closed())
            }
        }
    }
}

fn closed() -> EngineError {
    EngineError::network("the consumer of a channel is gone")
}
