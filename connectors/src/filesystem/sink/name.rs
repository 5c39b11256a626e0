//! Names of the files of one subtask in one attempt.

use std::path::Path;

use levada_engine::Result;
use levada_engine::connector::SinkContext;

use super::failed;
use crate::hash;

/// Ends the name of a file that is being written.
pub(super) const IN_PROGRESS: &str = ".inprogress";
/// Ends the name of a file that waits for its checkpoint.
pub(super) const PREPARED: &str = ".prepared";

/// Gives names such as `part-<job>-<operator>-<subtask>-<attempt>-<counter>.json`.
#[derive(Debug)]
pub(super) struct Names {
    /// `part-<job>-<operator>-`
    writer: String,
    index: u32,
    parallelism: u32,
    attempt: u32,
    extension: &'static str,
    counter: u64,
}

impl Names {
    pub(super) fn new(context: &SinkContext, extension: &'static str) -> Self {
        let job = context.job.0.as_str();
        let plain = |c: char| c.is_ascii_alphanumeric();
        let simple = job.len() <= 40 && job.chars().all(|c| plain(c) || c == '-');
        let job = match simple && !job.is_empty() {
            // The dash separates the parts of the name.
            true => job.replace('-', "_"),
            false => {
                let readable: String = job.chars().filter(|c| plain(*c)).take(20).collect();
                format!("{readable}_{:016x}", hash::stable(job.as_bytes()))
            }
        };
        let operator = hash::stable(context.operator.as_bytes());
        Self {
            writer: format!("part-{job}-{operator:016x}-"),
            index: context.index,
            parallelism: context.parallelism.max(1),
            attempt: context.attempt,
            extension,
            counter: 0,
        }
    }

    /// A name that is free in `folder`.
    pub(super) fn next(&mut self, folder: &Path) -> Result<String> {
        loop {
            let name = format!(
                "{}{}-{}-{}.{}",
                self.writer, self.index, self.attempt, self.counter, self.extension
            );
            self.counter += 1;
            let candidates = [
                name.clone(),
                hidden(&name, IN_PROGRESS),
                hidden(&name, PREPARED),
            ];
            let mut taken = false;
            for candidate in candidates {
                let path = folder.join(candidate);
                let exists = path.try_exists();
                taken |= exists.map_err(|e| failed("the file", &path, "be found", &e))?;
            }
            if !taken {
                return Ok(name);
            }
        }
    }

    /// Whether a hidden file was left behind by an earlier attempt of this subtask, or of one that
    /// this subtask stands in for since the parallelism was lowered.
    pub(super) fn is_leftover(&self, file_name: &str, suffix: &str) -> bool {
        let inner = file_name
            .strip_prefix('.')
            .and_then(|n| n.strip_prefix(&self.writer))
            .and_then(|n| n.strip_suffix(suffix))
            .and_then(|n| n.split_once('.'))
            .map(|(numbers, _)| numbers);
        let Some(mut numbers) = inner.map(|n| n.split('-')) else {
            return false;
        };
        let mut number = || numbers.next().and_then(|n| n.parse::<u32>().ok());
        match (number(), number()) {
            (Some(index), Some(attempt)) => {
                index % self.parallelism == self.index && attempt < self.attempt
            }
            _ => false,
        }
    }
}

/// The hidden name of a file.
pub(super) fn hidden(name: &str, suffix: &str) -> String {
    format!(".{name}{suffix}")
}
