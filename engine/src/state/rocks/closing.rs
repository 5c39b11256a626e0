//! Databases that are being closed, on threads that nobody waits for.
//!
//! Nobody but the process itself: when it exits, what RocksDB keeps in static variables is destroyed, and a thread
//! that still closes a database would stumble over that and abort.

use std::sync::{Condvar, Mutex, Once, PoisonError};
use std::time::Duration;

/// The longest that an exit waits; on a disk that hangs a close may last for ever.
const EXIT_WAIT: Duration = Duration::from_secs(10);

static COUNT: Mutex<usize> = Mutex::new(0);
static CHANGED: Condvar = Condvar::new();

/// A database is being closed, for as long as this exists.
pub(super) struct Closing(());

impl Closing {
    pub(super) fn begin() -> Self {
        *COUNT.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        Closing(())
    }
}

impl Drop for Closing {
    fn drop(&mut self) {
        *COUNT.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        CHANGED.notify_all();
    }
}

/// Has the process wait at its exit for databases that are being closed. To be called when one was opened:
/// what is registered later runs earlier, so RocksDB's own variables are still there then.
pub(super) fn wait_at_exit() {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| {
        // SAFETY: `wait` is an `extern "C"` function without arguments that does not unwind: it locks a mutex
        // whose poisoning it ignores, and waits. It uses statics without destructors only.
        let failed = unsafe { libc::atexit(wait) };
        if failed != 0 {
            tracing::warn!("an exit will not wait for databases that are being closed");
        }
    });
}

extern "C" fn wait() {
    let count = COUNT.lock().unwrap_or_else(PoisonError::into_inner);
    drop(CHANGED.wait_timeout_while(count, EXIT_WAIT, |count| *count > 0));
}
