//! The warning that a query remembers ever more, with what would bound it.

use std::collections::BTreeSet;
use std::fmt;

use levada_engine::graph::OverForm;

use super::{Kept, States, names};
use crate::streaming::{Attribute, Node, NodeId, NodeKind};

/// So many nodes are named; EXPLAIN has all.
const NAMED: usize = 5;

/// State that grows for as long as rows come; as text of several lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrowingState {
    /// Who remembers what, a sentence each.
    pub nodes: Vec<String>,
    /// What would bound it, a sentence each; empty where nothing does.
    pub remedies: Vec<String>,
}

impl fmt::Display for GrowingState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("state grows for as long as rows come:")?;
        for node in self.nodes.iter().take(NAMED) {
            write!(f, "\n  - {node}")?;
        }
        match self.nodes.len().saturating_sub(NAMED) {
            0 => {}
            more => write!(f, "\n  - {more} more, which EXPLAIN CHANGELOG_MODE names")?,
        }
        if !self.remedies.is_empty() {
            write!(f, "\n  hint: {}", self.remedies.join("; or "))?;
        }
        Ok(())
    }
}

impl States<'_> {
    /// What of the plan's state nothing bounds, if there is some.
    pub fn warning(&self) -> Option<GrowingState> {
        let live = self.plan.live();
        let mut nodes = Vec::new();
        let mut remedies = BTreeSet::new();
        let is_live = |id: &usize| live.get(*id).copied().unwrap_or(false);
        for (_, node) in self.plan.iter().filter(|(id, _)| is_live(id)) {
            let kept = self.kept(node);
            let growing: Vec<String> = kept
                .iter()
                .filter(|kept| kept.grows)
                .map(|kept: &Kept| kept.what.clone())
                .collect();
            if !growing.is_empty() {
                nodes.push(format!(
                    "{} keeps {}",
                    self.subject(node),
                    growing.join(" and ")
                ));
                remedies.extend(self.remedies(node));
            }
        }
        let remedies = remedies.into_iter().map(|remedy| remedy.text());
        (!nodes.is_empty()).then(|| GrowingState {
            nodes,
            remedies: remedies.collect(),
        })
    }

    /// A node in the words of SQL.
    fn subject(&self, node: &Node) -> String {
        let empty = arrow::datatypes::Schema::empty();
        let schema = |place| {
            self.input(node, place)
                .map_or(&empty, |rows| rows.schema.as_ref())
        };
        let partitions = |name: &str, keys: &[usize]| match names(schema(0), keys) {
            keys if keys.is_empty() => name.to_string(),
            keys => format!("{name} by {keys}"),
        };
        match &node.kind {
            NodeKind::GroupAggregate(aggregate) => match aggregate.keys.is_empty() {
                true => "the aggregation of all rows".to_string(),
                false => match aggregate.calls.is_empty() {
                    true => format!("DISTINCT {}", names(schema(0), &aggregate.keys)),
                    false => format!("GROUP BY {}", names(schema(0), &aggregate.keys)),
                },
            },
            NodeKind::Join(join) => {
                let pairs = join.left_keys.iter().zip(&join.right_keys);
                let pairs = pairs.map(|(l, r)| {
                    format!("{} = {}", names(schema(0), &[*l]), names(schema(1), &[*r]))
                });
                match pairs.collect::<Vec<_>>() {
                    pairs if pairs.is_empty() => "the join of all rows with all".to_string(),
                    pairs => format!("the join on {}", pairs.join(" and ")),
                }
            }
            NodeKind::MultiJoin(join) => {
                let keys = join.keys.iter().enumerate();
                let keys = keys.map(|(place, keys)| names(schema(place), keys));
                format!("the join on {}", keys.collect::<Vec<_>>().join(" = "))
            }
            NodeKind::TemporalJoin(_) => "FOR SYSTEM_TIME AS OF".to_string(),
            NodeKind::Rank(rank) if rank.order_by.is_empty() && rank.partition_by.is_empty() => {
                "LIMIT".to_string()
            }
            NodeKind::Rank(rank) => partitions(rank.label(), &rank.partition_by),
            NodeKind::Over(over) => partitions("OVER", &over.partition_by),
            NodeKind::Pattern(pattern) => partitions("MATCH_RECOGNIZE", &pattern.partition_by),
            NodeKind::CountWindow(window) => {
                partitions("the windows of rows", &window.partition_by)
            }
            NodeKind::UpsertMaterialize(_) => "what is written by key".to_string(),
            _ => "a node".to_string(),
        }
    }

    /// Whether a node has event time, or would have if more were read of a table.
    fn may_have_event_time(&self, id: NodeId) -> bool {
        let Some(node) = self.plan.node(id) else {
            return false;
        };
        let mut inputs = node.inputs.iter();
        match &node.kind {
            NodeKind::Scan(scan) => scan.table.watermark.is_some(),
            NodeKind::Calc(_)
            | NodeKind::Unnest(_)
            | NodeKind::AssignWindow(_)
            | NodeKind::Union => inputs.all(|input| self.may_have_event_time(*input)),
            _ => {
                let attributes = node.properties.attributes.iter();
                attributes.copied().any(Attribute::is_event_time)
            }
        }
    }

    /// What would bound the state of a node.
    fn remedies(&self, node: &Node) -> Vec<Remedy> {
        let input = |place: usize| node.inputs.get(place).copied();
        let in_time = |place| input(place).is_some_and(|id| self.may_have_event_time(id));
        match &node.kind {
            NodeKind::GroupAggregate(_) if in_time(0) => vec![Remedy::Windows, Remedy::Ttl],
            NodeKind::Join(_) if in_time(0) && in_time(1) => vec![Remedy::Times, Remedy::Ttl],
            NodeKind::GroupAggregate(_)
            | NodeKind::Join(_)
            | NodeKind::MultiJoin(_)
            | NodeKind::ChangelogNormalize(_)
            | NodeKind::UpsertMaterialize(_)
            | NodeKind::Rank(_) => vec![Remedy::Ttl],
            NodeKind::TemporalJoin(join) if join.as_of.is_none() => vec![Remedy::Ttl],
            NodeKind::Over(over) if matches!(over.form, OverForm::Corrected { .. }) => {
                vec![Remedy::Ttl]
            }
            NodeKind::Over(over) if over.form == OverForm::Time => vec![Remedy::Frames],
            NodeKind::Pattern(pattern) if !pattern.looks_ahead() => vec![Remedy::Within],
            _ => Vec::new(),
        }
    }
}

/// What would bound state, in the order in which it is proposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Remedy {
    /// GROUP BY of windows.
    Windows,
    /// A join that compares times.
    Times,
    /// WITHIN of a pattern.
    Within,
    /// Frames of a distance in time.
    Frames,
    /// A time to live.
    Ttl,
}

impl Remedy {
    fn text(self) -> String {
        let text = match self {
            Remedy::Windows => "group by windows of time (TUMBLE, HOP, CUMULATE, SESSION)",
            Remedy::Times => {
                "let the join compare the times of both sides (a.ts BETWEEN b.ts - INTERVAL '1' HOUR AND b.ts)"
            }
            Remedy::Within => "give the pattern an end (WITHIN INTERVAL '1' HOUR)",
            Remedy::Frames => {
                "let frames go back in time only (RANGE BETWEEN INTERVAL '1' HOUR PRECEDING AND CURRENT ROW)"
            }
            Remedy::Ttl => {
                "forget what was not used for long (SET 'table.exec.state.ttl' = '1 d', or the hint STATE_TTL)"
            }
        };
        text.to_string()
    }
}
