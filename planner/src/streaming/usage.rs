//! Which columns, and which fields of ROW columns, expressions use.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields};

use super::expression::{self, ExprRef};

/// What is used of a column or field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Use {
    /// All of it.
    Whole,
    /// These fields of a ROW.
    Fields(BTreeMap<String, Use>),
}

impl Use {
    fn add(&mut self, path: &[&str]) {
        let Use::Fields(fields) = self else {
            return;
        };
        match path {
            [] => *self = Use::Whole,
            [first, rest @ ..] => fields
                .entry((*first).to_string())
                .or_insert_with(|| Use::Fields(BTreeMap::new()))
                .add(rest),
        }
    }
}

impl Use {
    fn merge(&mut self, other: &Use) {
        let Use::Fields(fields) = self else {
            return;
        };
        match other {
            Use::Whole => *self = Use::Whole,
            Use::Fields(others) => {
                for (name, part) in others {
                    fields
                        .entry(name.clone())
                        .or_insert_with(|| Use::Fields(BTreeMap::new()))
                        .merge(part);
                }
            }
        }
    }
}

/// What is used of the columns of one input, by position.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Usage(BTreeMap<usize, Use>);

impl Usage {
    /// All of a column is used.
    pub(super) fn add_column(&mut self, column: usize) {
        self.0.insert(column, Use::Whole);
    }

    /// Everything that an expression uses.
    pub(super) fn add(&mut self, expr: &ExprRef) {
        expression::visit(expr, &mut |e| {
            if let Some((column, path)) = path_of(e) {
                self.entry(column).add(&path);
                return false;
            }
            true
        });
    }

    fn entry(&mut self, column: usize) -> &mut Use {
        self.0
            .entry(column)
            .or_insert_with(|| Use::Fields(BTreeMap::new()))
    }

    /// Part of a column is used.
    pub(super) fn merge(&mut self, column: usize, part: &Use) {
        self.entry(column).merge(part);
    }

    /// The use of a column, if it is used.
    pub(super) fn of(&self, column: usize) -> Option<&Use> {
        self.0.get(&column)
    }

    /// The columns that are used, in order.
    pub(super) fn columns(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.keys().copied()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The column and the path of fields that an expression reads, if it does nothing else.
fn path_of(expr: &ExprRef) -> Option<(usize, Vec<&str>)> {
    if let Some(column) = expression::as_column(expr) {
        return Some((column, Vec::new()));
    }
    let (base, names) = expression::field_access(expr)?;
    let (column, mut path) = path_of(base)?;
    path.extend(names);
    Some((column, path))
}

/// The field with what is not used taken out of its ROWs. Access to a MAP by key uses all of it.
pub(super) fn pruned(field: &Field, used: &Use) -> Field {
    let (Use::Fields(uses), DataType::Struct(fields)) = (used, field.data_type()) else {
        return field.clone();
    };
    let kept: Fields = fields
        .iter()
        .filter_map(|inner| uses.get(inner.name()).map(|u| Arc::new(pruned(inner, u))))
        .collect();
    // A ROW without fields cannot be decoded; reading one that is not there fails elsewhere.
    if kept.is_empty() {
        return field.clone();
    }
    field.clone().with_data_type(DataType::Struct(kept))
}
