//! Whether and when a failed job runs again.

use std::collections::VecDeque;

use crate::graph::RestartStrategy;

/// The restarts of one job.
#[derive(Debug)]
pub(super) struct Restarts {
    strategy: RestartStrategy,
    count: u32,
    delay_ms: f64,
    last_ms: Option<i64>,
    recent: VecDeque<i64>,
}

impl Restarts {
    pub fn new(strategy: RestartStrategy) -> Self {
        Restarts {
            strategy,
            count: 0,
            delay_ms: 0.0,
            last_ms: None,
            recent: VecDeque::new(),
        }
    }

    /// A failure: how long to wait before the next run; `None` if there is to be none.
    pub fn next_delay_ms(&mut self, now_ms: i64) -> Option<i64> {
        let ms = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        let since = self.last_ms.map(|last| now_ms.saturating_sub(last));
        self.last_ms = Some(now_ms);
        match &self.strategy {
            RestartStrategy::None => None,
            RestartStrategy::FixedDelay { attempts, delay_ms } => {
                self.count += 1;
                (self.count <= *attempts).then(|| ms(*delay_ms))
            }
            RestartStrategy::ExponentialDelay {
                initial_ms,
                max_ms,
                multiplier,
                reset_after_ms,
            } => {
                let quiet = since.is_none_or(|since| since >= ms(*reset_after_ms));
                self.delay_ms = match quiet {
                    true => *initial_ms as f64,
                    false => (self.delay_ms * multiplier).min(*max_ms as f64),
                };
                Some(self.delay_ms as i64)
            }
            RestartStrategy::FailureRate {
                max_failures,
                interval_ms,
                delay_ms,
            } => {
                let start = now_ms.saturating_sub(ms(*interval_ms));
                while self.recent.front().is_some_and(|t| *t < start) {
                    self.recent.pop_front();
                }
                self.recent.push_back(now_ms);
                (self.recent.len() <= *max_failures as usize).then(|| ms(*delay_ms))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_strategy_counts_as_it_says() {
        assert_eq!(Restarts::new(RestartStrategy::None).next_delay_ms(0), None);
        let mut fixed = Restarts::new(RestartStrategy::FixedDelay {
            attempts: 2,
            delay_ms: 5,
        });
        let got: Vec<_> = (0..3).map(|t| fixed.next_delay_ms(t)).collect();
        assert_eq!(got, [Some(5), Some(5), None]);
        let mut growing = Restarts::new(RestartStrategy::ExponentialDelay {
            initial_ms: 10,
            max_ms: 35,
            multiplier: 2.0,
            reset_after_ms: 1000,
        });
        let got: Vec<_> = [0, 10, 20, 30, 5000]
            .map(|t| growing.next_delay_ms(t))
            .into();
        assert_eq!(got, [Some(10), Some(20), Some(35), Some(35), Some(10)]);
        let mut rate = Restarts::new(RestartStrategy::FailureRate {
            max_failures: 2,
            interval_ms: 100,
            delay_ms: 1,
        });
        let got: Vec<_> = [0, 50, 90, 300].map(|t| rate.next_delay_ms(t)).into();
        assert_eq!(got, [Some(1), Some(1), None, Some(1)]);
    }
}
