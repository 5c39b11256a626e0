//! What a checkpoint keeps of a partition.

use levada_engine::connector::SplitState;
use levada_engine::graph::WireBytes;
use levada_engine::{EngineError, Result};
use serde::{Deserialize, Serialize};

use super::super::offsets::Key;

/// Where reading of a partition stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Position {
    /// The next offset to read.
    pub offset: i64,
    /// The first offset that is not read.
    pub end: Option<i64>,
    /// Undecodable rows before this offset have been delivered, though the rows around them have not.
    #[serde(default)]
    pub bad_until: i64,
    #[serde(skip)]
    pub finished: bool,
}

impl Position {
    pub(super) fn encode(&self, split: &str) -> Result<SplitState> {
        let position = serde_json::to_vec(self)
            .map_err(|e| EngineError::internal(format!("a partition's position: {e}")))?;
        Ok(SplitState {
            split: split.to_string(),
            position: WireBytes(position),
            watermark: None,
            finished: self.finished,
        })
    }

    pub(super) fn decode(state: &SplitState) -> Result<Self> {
        let position: Self = serde_json::from_slice(&state.position.0).map_err(|e| {
            EngineError::checkpoint(format!(
                "the position of '{}' is unreadable: {e}",
                state.split
            ))
        })?;
        Ok(Self {
            finished: state.finished,
            ..position
        })
    }

    /// The partition behind a split's name.
    pub(super) fn key(split: &str) -> Result<Key> {
        let parts = split.rsplit_once('-');
        parts
            .and_then(|(topic, number)| Some((topic.to_string(), number.parse().ok()?)))
            .ok_or_else(|| {
                EngineError::checkpoint(format!("'{split}' in the checkpoint is no partition"))
            })
    }
}
