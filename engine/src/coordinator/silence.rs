//! Workers that have not been heard for too long.

/// A worker that is not heard for so long is lost.
const WORKER_TIMEOUT_MS: i64 = 10_000;
/// A coordinator that has not looked for so long has not listened either.
const DEAF_MS: i64 = WORKER_TIMEOUT_MS / 4;

/// Tells the silence of workers from the deafness of the coordinator: its process was stopped, the
/// machine slept, or the clock was set. Then nobody could be heard, and nobody is lost.
#[derive(Debug, Default)]
pub(super) struct Silence {
    /// When it was last looked.
    looked_ms: Option<i64>,
}

impl Silence {
    /// Notes that it is looked now; returns by how much later all workers count as heard.
    pub(super) fn look(&mut self, now_ms: i64) -> i64 {
        let before = self.looked_ms.replace(now_ms).unwrap_or(now_ms);
        let passed = now_ms.saturating_sub(before);
        match (0..=DEAF_MS).contains(&passed) {
            true => 0,
            false => passed,
        }
    }

    /// Whether a worker that was last heard then is lost.
    pub(super) fn is_lost(heard_ms: i64, now_ms: i64) -> bool {
        now_ms.saturating_sub(heard_ms) > WORKER_TIMEOUT_MS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks every 10 ms from one time to another.
    fn listen(silence: &mut Silence, heard_ms: &mut i64, span: std::ops::Range<i64>) -> bool {
        span.step_by(10).any(|now| {
            *heard_ms += silence.look(now);
            Silence::is_lost(*heard_ms, now)
        })
    }

    #[test]
    fn a_worker_is_lost_when_it_was_listened_to_in_vain() {
        let (mut silence, mut heard_ms) = (Silence::default(), 0);
        assert!(!listen(&mut silence, &mut heard_ms, 0..10_010));
        assert!(listen(&mut silence, &mut heard_ms, 10_010..10_030));
    }

    #[test]
    fn nobody_is_lost_while_the_coordinator_does_not_run_and_soon_after() {
        let (mut silence, mut heard_ms) = (Silence::default(), 0);
        assert!(!listen(&mut silence, &mut heard_ms, 0..1_000));
        // An hour later, or earlier.
        for from in [3_600_000, 1_000] {
            assert!(!listen(&mut silence, &mut heard_ms, from..from + 4_000));
        }
        assert!(listen(&mut silence, &mut heard_ms, 5_000..20_000));
    }
}
