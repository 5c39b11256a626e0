//! Join: pairs the rows of two inputs, whenever they come or as long as event time lets them.

use std::sync::Arc;

use arrow::datatypes::{Field, Schema};
use levada_engine::element::ChangelogMode;
use levada_engine::graph::{JoinKind, JoinTime};

use super::expression::ExprRef;
use super::{Attribute, Properties};

#[cfg(test)]
mod tests;
pub(super) mod time;

/// More sets of columns than these are not remembered as keys of a join.
const MOST_KEYS: usize = 8;

/// Pairs the rows of two inputs: those with equal keys for which the condition holds.
///
/// The output has the columns of the left input and, unless it only asks whether there is a partner,
/// those of the right one. A row goes out when the later of the two has come, so what it says about time
/// may be long past, and no column is a time attribute. Where event time bounds how long rows find
/// partners, it also bounds how late a pair is: then rows only ever come, and the times that are
/// compared stay time attributes, unless they may be NULL where there is no partner.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Join {
    /// Which rows it gives.
    pub kind: JoinKind,
    /// The key columns of the left input; none joins everything with everything.
    pub left_keys: Vec<usize>,
    /// Those of the right input, as many and of the same types.
    pub right_keys: Vec<usize>,
    /// Whether keys that are NULL are equal.
    pub null_equals_null: bool,
    /// What must hold besides, over the columns of the left input followed by those of the right one, which
    /// it calls `left.…` and `right.…`.
    pub condition: Option<ExprRef>,
    /// How long event time lets rows find partners; `None` for ever.
    pub time: Option<JoinTime>,
    /// How long the rows of each input are kept, in milliseconds, where a hint says so; 0 for ever.
    pub ttl_ms: [Option<u64>; 2],
}

impl Join {
    /// What is known about the rows.
    pub(super) fn properties(&self, left: &Properties, right: &Properties) -> Properties {
        let schema = Arc::new(Schema::new(self.fields(left, right)));
        let mut properties = Properties::appending(schema, left.bounded && right.bounded);
        properties.keys = self.unique_keys(left, right);
        if let Some(time) = self.time {
            properties.attributes = self.attributes(time, left, right);
            return properties;
        }
        properties.updating = match self.kind {
            JoinKind::Inner | JoinKind::Semi => left.updating || right.updating,
            // A row without a partner may get one.
            JoinKind::Left | JoinKind::Right | JoinKind::Full | JoinKind::Anti => true,
        };
        if properties.updating {
            properties.mode = ChangelogMode::Retract;
        }
        properties
    }

    /// Whether the output has the columns of the right input.
    pub fn gives_right(&self) -> bool {
        !matches!(self.kind, JoinKind::Semi | JoinKind::Anti)
    }

    /// What it is called, for people; `left` is what is known about the left input.
    pub fn name(&self, left: &Properties) -> &'static str {
        match self.time.map(|time| left.attribute(time.left.column)) {
            None => "Join",
            Some(Attribute::WindowEnd(_)) => "WindowJoin",
            Some(_) => "IntervalJoin",
        }
    }

    /// The kind, for people.
    pub fn label(&self) -> &'static str {
        match self.kind {
            JoinKind::Inner => "inner",
            JoinKind::Left => "left",
            JoinKind::Right => "right",
            JoinKind::Full => "full",
            JoinKind::Semi => "semi",
            JoinKind::Anti => "anti",
        }
    }

    /// Whether rows of the right input that have no partner stand beside NULLs.
    fn pads_left(&self) -> bool {
        matches!(self.kind, JoinKind::Right | JoinKind::Full)
    }

    /// Whether rows of the left input do.
    fn pads_right(&self) -> bool {
        matches!(self.kind, JoinKind::Left | JoinKind::Full)
    }

    fn attributes(&self, time: JoinTime, left: &Properties, right: &Properties) -> Vec<Attribute> {
        let mut attributes = staying(left, time.left.column, self.pads_left());
        if self.gives_right() {
            attributes.extend(staying(right, time.right.column, self.pads_right()));
        }
        attributes
    }

    fn fields(&self, left: &Properties, right: &Properties) -> Vec<Arc<Field>> {
        let padded = |side: &Properties, padded: bool| -> Vec<Arc<Field>> {
            let field = |field: &Arc<Field>| match padded && !field.is_nullable() {
                true => Arc::new(field.as_ref().clone().with_nullable(true)),
                false => Arc::clone(field),
            };
            side.schema.fields().iter().map(field).collect()
        };
        let mut fields = padded(left, self.pads_left());
        if self.gives_right() {
            fields.extend(padded(right, self.pads_right()));
        }
        fields
    }

    /// A pair is known by a key of each side. Where a row of one side has one partner at most, because a
    /// key of the other side is among the columns that are compared, its own key is enough.
    fn unique_keys(&self, left: &Properties, right: &Properties) -> Vec<Vec<usize>> {
        if !self.gives_right() {
            return left.keys.clone();
        }
        let width = left.schema.fields().len();
        let behind = |key: &Vec<usize>| key.iter().map(|column| column + width).collect();
        let of_right: Vec<Vec<usize>> = right.keys.iter().map(behind).collect();
        let mut keys = Vec::new();
        if is_unique(right, &self.right_keys) && !self.pads_left() {
            keys.extend(left.keys.iter().cloned());
        }
        if is_unique(left, &self.left_keys) && !self.pads_right() {
            keys.extend(of_right.iter().cloned());
        }
        for first in &left.keys {
            for (second, shifted) in right.keys.iter().zip(&of_right) {
                // With both sides padded, a row of one whose key is NULL looks like one of the other.
                let apart = never_null(left, first) || never_null(right, second);
                if apart || self.kind != JoinKind::Full {
                    keys.push(first.iter().chain(shifted).copied().collect());
                }
            }
        }
        smallest(keys)
    }
}

/// What the columns of one input still say about time behind a join that compares one of them: of others
/// nothing is known, and NULL is no time.
fn staying(side: &Properties, compared: usize, padded: bool) -> Vec<Attribute> {
    let is_compared = |place: usize, own: Attribute| match side.attribute(compared) {
        Attribute::WindowEnd(window) => own.window() == Some(window),
        _ => place == compared,
    };
    let own = side.attributes.iter().copied().enumerate();
    own.map(|(place, own)| match !padded && is_compared(place, own) {
        true => own,
        false => Attribute::None,
    })
    .collect()
}

/// Whether no two rows have the same values of `columns` at any one time.
pub(super) fn is_unique(rows: &Properties, columns: &[usize]) -> bool {
    let within = |key: &Vec<usize>| key.iter().all(|column| columns.contains(column));
    rows.keys.iter().any(within)
}

/// Whether at least one of the columns is never NULL.
fn never_null(rows: &Properties, columns: &[usize]) -> bool {
    let field = |column: &usize| rows.schema.fields().get(*column);
    let mut fields = columns.iter().filter_map(field);
    fields.any(|field| !field.is_nullable())
}

/// The keys that contain no other one.
pub(super) fn smallest(mut keys: Vec<Vec<usize>>) -> Vec<Vec<usize>> {
    keys.sort_by_key(Vec::len);
    let mut kept: Vec<Vec<usize>> = Vec::new();
    for key in keys {
        let within = |other: &Vec<usize>| other.iter().all(|column| key.contains(column));
        if kept.len() < MOST_KEYS && !kept.iter().any(within) {
            kept.push(key);
        }
    }
    kept
}
