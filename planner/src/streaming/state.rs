//! What the nodes of a plan remember, what lets it go, and what of it grows for as long as rows come.
//!
//! What a query remembers is bounded by time where it says so (windows, joins that compare times, WITHIN), by the rows
//! that there are where its input is a table whose rows replace each other, and else by nothing but a time to live.
//! EXPLAIN CHANGELOG_MODE says it for each node; [`States::warning`] names what nothing bounds.

#[cfg(test)]
mod tests;
mod warning;

use std::fmt;

use arrow::datatypes::{DataType, Schema, TimeUnit};
use levada_engine::element::ChangelogMode;
use levada_engine::graph::{Bound, JoinUntil, OverForm};

pub use warning::GrowingState;

use super::{
    Attribute, GroupAggregate, Join, Node, NodeId, NodeKind, Over, PatternMatch, Plan, Properties,
    Rank, TemporalJoin, WindowAggregate,
};

/// Something that a node remembers; as text for EXPLAIN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// For people, such as `a group per (customer)`.
    pub what: String,
    /// What lets it go.
    pub until: Until,
    /// Whether there is ever more of it as long as rows come, and nothing lets it go.
    pub grows: bool,
}

/// What lets go what a node remembers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Until {
    /// The watermark passes this: a column, perhaps with a distance.
    EventTime(String),
    /// The clock passes this.
    ProcessingTime(String),
    /// It is not used for so many milliseconds.
    Unused(u64),
    /// Nothing, or rows that are taken back.
    Nothing,
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = &self.what;
        match &self.until {
            Until::EventTime(time) => write!(f, "{what} until {time}"),
            Until::ProcessingTime(time) => write!(f, "{what} until {time} in processing time"),
            Until::Unused(ms) => write!(f, "{what} for {}", duration(*ms)),
            Until::Nothing => f.write_str(what),
        }
    }
}

/// What the nodes of a plan remember.
pub struct States<'a> {
    plan: &'a Plan,
    /// `table.exec.state.ttl`; 0 is for ever.
    ttl_ms: u64,
    /// For each node, whether what its rows add up to is ever more as long as rows come.
    growing: Vec<bool>,
}

impl<'a> States<'a> {
    /// Of a plan whose modes are assigned, under `table.exec.state.ttl` in milliseconds.
    pub fn of(plan: &'a Plan, ttl_ms: u64) -> Self {
        let mut growing: Vec<bool> = Vec::new();
        for (_, node) in plan.iter() {
            let of = |place: usize| {
                let input = node.inputs.get(place);
                input.is_some_and(|id| growing.get(*id).copied().unwrap_or(false))
            };
            growing.push(!node.properties.bounded && rows_grow(node, &of));
        }
        States {
            plan,
            ttl_ms,
            growing,
        }
    }

    /// What a node remembers; empty if nothing.
    pub fn kept(&self, node: &Node) -> Vec<Kept> {
        let (Some(below), grows) = (self.input(node, 0), self.grows(node, 0)) else {
            return Vec::new();
        };
        match &node.kind {
            NodeKind::ChangelogNormalize(normalize) => {
                vec![self.idle(per("a row", &below.schema, &normalize.keys), grows)]
            }
            NodeKind::WindowAggregate(aggregate) => vec![of_windows(aggregate, below)],
            NodeKind::GroupAggregate(aggregate) => self.of_groups(aggregate, below, grows),
            NodeKind::Join(join) => self.of_join(join, node),
            NodeKind::MultiJoin(join) => {
                let inputs = 0..join.keys.len();
                let of = |place: usize| {
                    let what = format!("every row of input {}", place + 1);
                    self.idle(what, self.grows(node, place))
                };
                inputs.map(of).collect()
            }
            NodeKind::TemporalJoin(join) => self.of_versions(join, node),
            NodeKind::Rank(rank) => vec![self.of_rank(rank, below, grows)],
            NodeKind::Over(over) => self.of_over(over, below, grows),
            NodeKind::Pattern(pattern) => vec![of_pattern(pattern, below, grows)],
            NodeKind::CountWindow(window) => {
                let keys = &window.partition_by;
                let what = per(&first_rows("last", window.size), &below.schema, keys);
                vec![forever(what, grows && !keys.is_empty())]
            }
            NodeKind::UpsertMaterialize(materialize) => {
                let what = per("every row", &below.schema, &materialize.key);
                vec![self.idle(what, grows)]
            }
            NodeKind::Scan(_)
            | NodeKind::Values(_)
            | NodeKind::Calc(_)
            | NodeKind::Union
            | NodeKind::AssignWindow(_)
            | NodeKind::Unnest(_)
            | NodeKind::ToChangelog(_)
            | NodeKind::FromChangelog(_)
            | NodeKind::Sink(_)
            | NodeKind::Collect => Vec::new(),
        }
    }

    /// What is known of the rows of an input.
    fn input(&self, node: &Node, place: usize) -> Option<&'a Properties> {
        let input = node.inputs.get(place).and_then(|id| self.plan.node(*id));
        input.map(|input| &input.properties)
    }

    /// Whether the rows of an input are ever more.
    fn grows(&self, node: &Node, place: usize) -> bool {
        let grows = |id: &NodeId| self.growing.get(*id).copied().unwrap_or(false);
        node.inputs.get(place).is_some_and(grows)
    }

    /// What is forgotten when it was not used for long enough.
    fn idle(&self, what: String, grows: bool) -> Kept {
        unused(what, self.ttl_ms, grows)
    }

    fn of_groups(&self, aggregate: &GroupAggregate, below: &Properties, grows: bool) -> Vec<Kept> {
        if aggregate.whole {
            return Vec::new();
        }
        let distinct = aggregate.calls.iter().any(|call| call.distinct);
        let values = distinct || aggregate.keeps_values(below.updating);
        let group = match (aggregate.keys.is_empty(), values) {
            (true, false) => "one group",
            (true, true) => "one group with its values",
            (false, false) => "a group",
            (false, true) => "a group with its values",
        };
        let what = per(group, &below.schema, &aggregate.keys);
        let grows = grows && (values || !aggregate.keys.is_empty());
        vec![unused(what, aggregate.ttl_ms.unwrap_or(self.ttl_ms), grows)]
    }

    fn of_join(&self, join: &Join, node: &Node) -> Vec<Kept> {
        let until = [
            join.time.map(|time| time.left),
            join.time.map(|time| time.right),
        ];
        let sides = ["left", "right"].into_iter().zip(until).zip(join.ttl_ms);
        let kept = sides.enumerate().map(|(place, ((side, until), ttl_ms))| {
            let what = format!("every row of the {side}");
            match (until, self.input(node, place)) {
                (Some(until), Some(rows)) => Kept {
                    what,
                    until: Until::EventTime(after(rows, until)),
                    grows: false,
                },
                _ => {
                    let ttl_ms = ttl_ms.unwrap_or(self.ttl_ms);
                    unused(what, ttl_ms, self.grows(node, place))
                }
            }
        });
        kept.collect()
    }

    fn of_versions(&self, join: &TemporalJoin, node: &Node) -> Vec<Kept> {
        let (Some(left), Some(right)) = (self.input(node, 0), self.input(node, 1)) else {
            return Vec::new();
        };
        let grows = self.grows(node, 1);
        let per_key = |what| per(what, &right.schema, &join.right_keys);
        match join.as_of {
            _ if join.lookup.is_some() => Vec::new(),
            None => vec![self.idle(per_key("the last row of the right"), grows)],
            Some(as_of) => vec![
                Kept {
                    what: "every row of the left".to_string(),
                    until: Until::EventTime(names(&left.schema, &[as_of.left])),
                    grows: false,
                },
                forever(per_key("the versions that count"), grows),
            ],
        }
    }

    fn of_rank(&self, rank: &Rank, below: &Properties, grows: bool) -> Kept {
        let what = match below.updating {
            true => "every row".to_string(),
            false => first_rows("first", rank.to),
        };
        let what = per(&what, &below.schema, &rank.partition_by);
        match rank.window {
            Some(window) => Kept {
                what,
                until: Until::EventTime(names(&below.schema, &[window.column])),
                grows: false,
            },
            None => {
                let grows = grows && (below.updating || !rank.partition_by.is_empty());
                self.idle(what, grows)
            }
        }
    }

    fn of_over(&self, over: &Over, below: &Properties, grows: bool) -> Vec<Kept> {
        let per_key = |what| per(what, &below.schema, &over.partition_by);
        let carried = forever(
            per_key("what frames go on from"),
            grows && !over.partition_by.is_empty(),
        );
        let time = over.order_by.first().map(|order| order.column);
        match (over.form, time) {
            (OverForm::Corrected { .. }, _) => vec![self.idle(per_key("every row"), grows)],
            (OverForm::Time, Some(time)) => {
                let frames = frames_ms(over, below, time);
                let rows = Kept {
                    what: "every row".to_string(),
                    until: Until::EventTime(later(
                        names(&below.schema, &[time]),
                        frames.unwrap_or(0),
                    )),
                    grows: false,
                };
                match frames {
                    Some(_) => vec![rows],
                    None => vec![rows, carried],
                }
            }
            _ => vec![carried],
        }
    }
}

/// Whether what the rows of a node add up to is ever more, if that `of` its inputs is.
fn rows_grow(node: &Node, of: &dyn Fn(usize) -> bool) -> bool {
    match &node.kind {
        // Rows that replace or take back each other are a table, which has as many as it has.
        NodeKind::Scan(_) => node.properties.mode == ChangelogMode::Append,
        NodeKind::Values(_) => false,
        NodeKind::Union | NodeKind::MultiJoin(_) => (0..node.inputs.len()).any(of),
        NodeKind::Join(join) => of(0) || (join.gives_right() && of(1)),
        NodeKind::GroupAggregate(aggregate) => !aggregate.keys.is_empty() && of(0),
        NodeKind::Rank(rank) => !rank.partition_by.is_empty() && of(0),
        // The results of windows stay, and what was told of changes does.
        NodeKind::WindowAggregate(_) | NodeKind::ToChangelog(_) => true,
        NodeKind::FromChangelog(_) => !node.properties.updating && of(0),
        NodeKind::ChangelogNormalize(_)
        | NodeKind::TemporalJoin(_)
        | NodeKind::Over(_)
        | NodeKind::Pattern(_)
        | NodeKind::CountWindow(_)
        | NodeKind::UpsertMaterialize(_)
        | NodeKind::Calc(_)
        | NodeKind::AssignWindow(_)
        | NodeKind::Unnest(_)
        | NodeKind::Sink(_)
        | NodeKind::Collect => of(0),
    }
}

fn of_windows(aggregate: &WindowAggregate, below: &Properties) -> Kept {
    let keys = match names(&below.schema, &aggregate.keys) {
        keys if keys.is_empty() => "a group per (window)".to_string(),
        keys => format!("a group per (window, {keys})"),
    };
    let end = "window_end".to_string();
    Kept {
        what: keys,
        until: match aggregate.time {
            Some(_) => Until::EventTime(end),
            None => Until::ProcessingTime(end),
        },
        grows: false,
    }
}

fn of_pattern(pattern: &PatternMatch, below: &Properties, grows: bool) -> Kept {
    let what = per(
        "the rows of open matches",
        &below.schema,
        &pattern.partition_by,
    );
    match (pattern.within_ms, pattern.order_by.first()) {
        (Some(within_ms), Some(time)) if !pattern.looks_ahead() => Kept {
            what,
            until: Until::EventTime(later(names(&below.schema, &[time.column]), within_ms)),
            grows: false,
        },
        _ => forever(what, grows),
    }
}

/// How far back the frames go, in milliseconds, if all of them go back so far in time.
fn frames_ms(over: &Over, below: &Properties, time: usize) -> Option<i64> {
    let field = below.schema.fields().get(time)?;
    let DataType::Timestamp(unit, _) = field.data_type() else {
        return None;
    };
    let in_ms = |distance: i64| match unit {
        TimeUnit::Second => distance.saturating_mul(1_000),
        TimeUnit::Millisecond => distance,
        TimeUnit::Microsecond => distance / 1_000,
        TimeUnit::Nanosecond => distance / 1_000_000,
    };
    let values = over.values.iter().map(|value| match value.frame.start {
        Bound::Preceding(distance) if value.has_distance() => Some(in_ms(distance)),
        _ => None,
    });
    values.collect::<Option<Vec<_>>>()?.into_iter().max()
}

/// What only a time to live lets go; 0 is none.
fn unused(what: String, ttl_ms: u64, grows: bool) -> Kept {
    match ttl_ms {
        0 => forever(what, grows),
        ttl_ms => Kept {
            what,
            until: Until::Unused(ttl_ms),
            grows: false,
        },
    }
}

fn forever(what: String, grows: bool) -> Kept {
    Kept {
        what,
        until: Until::Nothing,
        grows,
    }
}

fn first_rows(which: &str, count: u64) -> String {
    match count {
        1 => format!("the {which} row"),
        count => format!("the {which} {count} rows"),
    }
}

fn per(what: &str, schema: &Schema, keys: &[usize]) -> String {
    match keys.is_empty() {
        true => what.to_string(),
        false => format!("{what} per ({})", names(schema, keys)),
    }
}

fn after(rows: &Properties, until: JoinUntil) -> String {
    let time = names(&rows.schema, &[until.column]);
    match rows.attribute(until.column) {
        // Rows go when the last moment of the window has passed.
        Attribute::WindowEnd(_) => time,
        _ => later(time, until.after_ms),
    }
}

/// A time, so much later.
fn later(time: String, by_ms: i64) -> String {
    match by_ms {
        0 => time,
        by_ms if by_ms < 0 => format!("{time} - {}", duration(by_ms.unsigned_abs())),
        by_ms => format!("{time} + {}", duration(by_ms.unsigned_abs())),
    }
}

/// The names of columns.
pub(crate) fn names(schema: &Schema, columns: &[usize]) -> String {
    let name = |column: &usize| schema.fields().get(*column).map(|f| f.name().as_str());
    let names: Vec<&str> = columns.iter().filter_map(name).collect();
    names.join(", ")
}

/// A time to live in the largest unit that it is a whole number of.
pub(crate) fn duration(ms: u64) -> String {
    let units = [
        (86_400_000, "d"),
        (3_600_000, "h"),
        (60_000, "min"),
        (1_000, "s"),
    ];
    let whole = |(unit, _): &&(u64, &str)| ms.is_multiple_of(*unit);
    match (ms, units.iter().find(whole)) {
        (0, _) => "for ever".to_string(),
        (_, Some((unit, name))) => format!("{} {name}", ms / unit),
        (_, None) => format!("{ms} ms"),
    }
}
