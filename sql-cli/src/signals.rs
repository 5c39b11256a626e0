//! Ctrl-C and requests to end.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

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
    unheard: Arc<AtomicU32>,
}

/// How long a request to end may go unheard.
const GRACE: Duration = Duration::from_secs(10);

impl Interrupts {
    /// Starts listening. Needs a runtime.
    ///
    /// # Errors
    /// The system refuses.
    pub fn listen() -> io::Result<Self> {
        let unheard = Arc::new(AtomicU32::new(0));
        tokio::spawn(insist(
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
            Arc::clone(&unheard),
        ));
        Ok(Interrupts {
            unheard,
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
        self.unheard.store(0, Ordering::Release);
        self.end |= request == Interrupt::End;
        request
    }

    /// Whether one of the requests so far was to end.
    pub fn must_end(&self) -> bool {
        self.end
    }
}

/// Ends the process if it does not hear what it is asked: whoever writes to a pipe that nobody reads
/// waits for ever, and Ctrl-C must end that too.
async fn insist(mut interrupt: Signal, mut terminate: Signal, unheard: Arc<AtomicU32>) {
    loop {
        tokio::select! {
            _ = interrupt.recv() => {
                if unheard.fetch_add(1, Ordering::AcqRel) > 0 {
                    std::process::exit(130);
                }
            }
            _ = terminate.recv() => {
                unheard.fetch_add(1, Ordering::AcqRel);
                tokio::time::sleep(GRACE).await;
                if unheard.load(Ordering::Acquire) > 0 {
                    std::process::exit(143);
                }
            }
        }
    }
}
