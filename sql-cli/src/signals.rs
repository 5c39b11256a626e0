//! Ctrl-C and requests to end.

use std::io;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

/// What somebody asks of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interrupt {
    /// Ctrl-C: stop what is going on.
    Stop,
    /// SIGTERM: end.
    End,
}

/// How long a request to end may go unheard.
const GRACE: Duration = Duration::from_secs(10);

/// The requests to this process, in their order. From its creation on, signals no longer end the
/// process by themselves.
pub struct Interrupts {
    requests: mpsc::Receiver<Interrupt>,
    end: bool,
}

impl Interrupts {
    /// Starts listening. Needs a runtime.
    ///
    /// # Errors
    /// The system refuses.
    pub fn listen() -> io::Result<Self> {
        let (sender, requests) = mpsc::channel(1);
        tokio::spawn(hear(
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
            sender,
        ));
        Ok(Interrupts {
            requests,
            end: false,
        })
    }

    /// The next request. Cancel-safe.
    pub async fn next(&mut self) -> Interrupt {
        let request = match self.requests.recv().await {
            Some(request) => request,
            None => std::future::pending().await,
        };
        self.end |= request == Interrupt::End;
        request
    }

    /// Whether one of the requests so far was to end.
    pub fn must_end(&self) -> bool {
        self.end
    }
}

/// Passes requests on, and ends the process if it does not hear them: whoever writes to a pipe that
/// nobody reads waits for ever, and Ctrl-C must end that too.
async fn hear(
    mut interrupt: Signal,
    mut terminate: Signal,
    mut hangup: Signal,
    requests: mpsc::Sender<Interrupt>,
) {
    loop {
        let request = tokio::select! {
            _ = interrupt.recv() => Interrupt::Stop,
            _ = terminate.recv() => Interrupt::End,
            _ = hangup.recv() => Interrupt::End,
        };
        if requests.try_send(request).is_err() && request == Interrupt::Stop {
            std::process::exit(130);
        }
        if request == Interrupt::End {
            let unheard = requests.clone();
            tokio::spawn(async move {
                tokio::time::sleep(GRACE).await;
                if unheard.capacity() == 0 {
                    std::process::exit(143);
                }
            });
        }
    }
}
