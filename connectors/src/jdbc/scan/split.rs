//! The parts of a table, and where reading stands in each.

use std::sync::Arc;

use levada_engine::connector::{SourceContext, SplitState};
use levada_engine::graph::WireBytes;
use levada_engine::{EngineError, Result};
use serde::{Deserialize, Serialize};

use super::super::catalog::Target;
use super::super::config::{Config, quote};
use super::super::partition::Range;

const VERSION: u32 = 1;

/// What orders the rows of a table, so that reading can go on behind one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Order {
    /// The primary key.
    Key(Vec<String>),
    /// Where rows are stored.
    Place([String; 1]),
    /// Nothing.
    None,
}

impl Order {
    pub(super) fn of(target: &Target) -> Self {
        let primary = target.keys.iter().find(|key| key.is_primary);
        match (primary, target.kind.as_str()) {
            // Children of a table repeat its keys and places.
            _ if target.has_children => Order::None,
            (Some(key), _) => Order::Key(key.columns.clone()),
            (None, "r" | "m") => Order::Place(["ctid".to_string()]),
            (None, _) => Order::None,
        }
    }

    /// The columns' names.
    pub(super) fn columns(&self) -> &[String] {
        match self {
            Order::Key(columns) => columns,
            Order::Place(column) => column,
            Order::None => &[],
        }
    }

    /// The columns' names as SQL, within a table that is called `source`: without that, ORDER BY
    /// would mean columns of the result, which are texts.
    pub(super) fn qualified(&self) -> Vec<String> {
        let columns = self.columns().iter();
        columns.map(|c| format!("source.{}", quote(c))).collect()
    }
}

/// A part of the table.
#[derive(Debug, Clone)]
pub(super) struct Split {
    pub name: Arc<str>,
    /// `None` for the whole table.
    pub range: Option<Range>,
    /// The columns by which rows are ordered.
    order: Vec<String>,
    /// Whether rows have been delivered.
    pub is_begun: bool,
    /// Their values in the last row delivered.
    pub key: Vec<String>,
    pub is_finished: bool,
}

/// How a position is written down.
#[derive(Debug, Serialize, Deserialize)]
struct Position {
    version: u32,
    range: Option<Range>,
    order: Vec<String>,
    is_begun: bool,
    key: Vec<String>,
}

impl Split {
    fn new(range: Option<Range>, order: &Order) -> Self {
        Self {
            name: match &range {
                Some(range) => range.to_string().into(),
                None => "all rows".into(),
            },
            range,
            order: order.columns().to_vec(),
            is_begun: false,
            key: Vec::new(),
            is_finished: false,
        }
    }

    pub(super) fn state(&self) -> Result<SplitState> {
        let position = Position {
            version: VERSION,
            range: self.range.clone(),
            order: self.order.clone(),
            is_begun: self.is_begun,
            key: self.key.clone(),
        };
        let position = serde_json::to_vec(&position)
            .map_err(|e| EngineError::internal(format!("a position in a table: {e}")))?;
        Ok(SplitState {
            split: self.name.to_string(),
            position: WireBytes(position),
            watermark: None,
            finished: self.is_finished,
        })
    }

    fn restore(state: &SplitState, order: &Order) -> Result<Self> {
        let unreadable = |why: String| {
            EngineError::checkpoint(format!(
                "the position '{}' of a database table in the checkpoint is unreadable: {why}",
                state.split
            ))
        };
        let position: Position =
            serde_json::from_slice(&state.position.0).map_err(|e| unreadable(e.to_string()))?;
        if position.version != VERSION {
            return Err(unreadable(format!("it is of version {}", position.version)));
        }
        let split = Self {
            name: state.split.as_str().into(),
            range: position.range,
            order: order.columns().to_vec(),
            is_begun: position.is_begun,
            key: position.key,
            is_finished: state.finished,
        };
        if split.is_finished || !split.is_begun {
            return Ok(split);
        }
        if position.order.is_empty() || split.key.len() != position.order.len() {
            return Err(EngineError::checkpoint(format!(
                "'{}' had been read in part, and its rows have no order by which reading could go on",
                split.name
            ))
            .with_hint("read a table with a primary key instead of a view, or start the job without the checkpoint"));
        }
        if position.order != split.order {
            return Err(EngineError::checkpoint(format!(
                "'{}' had been read in part in the order of ({}), and the primary key has changed since",
                split.name,
                position.order.join(", ")
            ))
            .with_hint("start the job without the checkpoint"));
        }
        Ok(split)
    }
}

/// The splits of one subtask.
pub(super) fn splits(
    config: &Config,
    context: &SourceContext,
    order: &Order,
) -> Result<Vec<Split>> {
    // What was decided when reading began stays, whatever the options say now.
    let restored = context
        .restored
        .as_ref()
        .filter(|states| !states.is_empty());
    let all: Vec<Split> = match (restored, &config.partitioning) {
        (Some(states), _) => {
            let mut states: Vec<&SplitState> = states.iter().collect();
            states.sort_by(|a, b| a.split.cmp(&b.split));
            states.dedup_by(|a, b| a.split == b.split);
            let splits = states.into_iter().map(|state| Split::restore(state, order));
            splits.collect::<Result<_>>()?
        }
        (None, Some(partitioning)) => {
            let ranges = partitioning.ranges().into_iter();
            ranges.map(|range| Split::new(Some(range), order)).collect()
        }
        (None, None) => vec![Split::new(None, order)],
    };
    let parallelism = usize::try_from(context.parallelism.max(1)).unwrap_or(1);
    let index = usize::try_from(context.index).unwrap_or(0);
    Ok(all.into_iter().skip(index).step_by(parallelism).collect())
}
