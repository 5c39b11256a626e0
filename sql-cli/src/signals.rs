//! Ctrl-C and requests to end.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// What somebody asks of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interrupt {
    /// Ctrl-C: stop what is going on.
    Stop,
    /// SIGTERM: end.
    End,
}

/// The requests to this process, in their order. From its creation on, signals no longer end the
/// process by themselves.
pub struct Interrupts {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
    end: bool,
}

impl Interrupts {
    /// Starts listening. Needs a runtime.
    ///
    /// # Errors
    /// The system refuses.
    pub fn listen() -> io::Result<Self> {
        Ok(Interrupts {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            end: false,
        })
    }

    /// The next request. Cancel-safe.
    pub async fn next(&mut self) -> Interrupt {
        let request = tokio::select! {
            _ = self.interrupt.recv() => Interrupt::Stop,
            _ = self.terminate.recv() => Interrupt::End,
            _ = self.hangup.recv() => Interrupt::End,
        };
        self.end |= request == Interrupt::End;
        request
    }

    /// Whether one of the requests so far was to end.
    pub fn must_end(&self) -> bool {
        self.end
    }
}
