//! TemporalJoin: each row of the left input beside the version of a row of the right one.

use std::sync::Arc;

use arrow::datatypes::{Field, Schema};
use levada_engine::connector::LookupCache;
use levada_engine::graph::AsOf;

use super::expression::ExprRef;
use super::lookup_hints::Asking;
use super::{Attribute, Properties};

#[cfg(test)]
mod tests;

/// Puts each row of the left input, which only ever come, to the version of its key that counts at its time, or
/// in processing time to the one that is there.
///
/// The output has the columns of both inputs. In event time a row comes when the watermark has passed it, so
/// that time stays a time attribute, and others of the left input do not.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TemporalJoin {
    /// Whether rows without a version stand beside NULLs.
    pub outer: bool,
    /// The columns of the left input that equal the key.
    pub left_keys: Vec<usize>,
    /// The key of the versions.
    pub right_keys: Vec<usize>,
    /// The times that are compared; `None` is processing time.
    pub as_of: Option<AsOf>,
    /// A boolean column of the right input: whether a version is a row.
    pub exists: Option<usize>,
    /// What must hold besides, over the columns of the left input followed by those of the right one, which it
    /// calls `left.…` and `right.…`.
    pub condition: Option<ExprRef>,
    /// What is kept of a table that is asked by key, which stands below the right input; `None` reads that input.
    pub lookup: Option<LookupCache>,
    /// What a hint says of how it is asked.
    pub asking: Asking,
}

impl TemporalJoin {
    /// What is known about the rows.
    pub(super) fn properties(&self, left: &Properties, right: &Properties) -> Properties {
        let of_right = right.schema.fields().iter().map(|field| match self.outer {
            true => Arc::new(Field::clone(field).with_nullable(true)),
            false => Arc::clone(field),
        });
        let fields = left.schema.fields().iter().cloned().chain(of_right);
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let asks = self.lookup.is_some();
        let bounded = left.bounded && (right.bounded || asks);
        let mut properties = Properties::appending(schema, bounded);
        let attributes = left.attributes.iter().copied().enumerate();
        let attributes = attributes.map(|(column, own)| self.attribute(column, own, left));
        for (slot, attribute) in properties.attributes.iter_mut().zip(attributes) {
            *slot = attribute;
        }
        // A row has one version at most, and one partner if what is asked for is unique.
        let unique = |key: &Vec<usize>| key.iter().all(|column| self.right_keys.contains(column));
        if !asks || right.keys.iter().any(unique) {
            properties.keys = left.keys.clone();
        }
        properties
    }

    /// What a column of the left input still says about time.
    fn attribute(&self, column: usize, own: Attribute, left: &Properties) -> Attribute {
        let Some(as_of) = self.as_of else {
            return own;
        };
        let compared = left.attribute(as_of.left);
        let same = column == as_of.left
            || own == Attribute::ProcessingTime
            || own.window().is_some() && own.window() == compared.window();
        match same {
            true => own,
            false => Attribute::None,
        }
    }

    /// The kind, for people.
    pub fn label(&self) -> &'static str {
        match self.outer {
            true => "left",
            false => "inner",
        }
    }
}
