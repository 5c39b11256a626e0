//! GROUPING SETS, ROLLUP and CUBE: several aggregations of one input at once.
//!
//! Each row comes once for each set ([`Builder::expand`]), with the set's id, and with NULL for the keys that
//! the set does not have. Id and keys together are the key of one aggregation, so equal groups of different sets
//! stay apart. What a row has in a key that is also aggregated stays beside it.
//!
//! The set without keys has a row even if there is no input. So it is an aggregation of its own, and the result
//! a UNION of both.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ListArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::utils::grouping_set_to_exprlist;
use datafusion::logical_expr::{Aggregate, Expr, GroupingSet, Operator};
use datafusion::physical_expr::expressions::{BinaryExpr, CaseExpr, Literal};
use levada_engine::graph::UnnestColumn;

use super::grouping::Grouping;
use crate::streaming::build::{Builder, names as names_of};
use crate::streaming::expression::{self, ExprRef};
use crate::streaming::{NodeId, Values};
use levada_language::error::PlanError;

#[cfg(test)]
mod tests;

/// Which keys each set has.
#[derive(Debug, Clone)]
pub(super) struct Sets {
    /// By set: the bits of the keys that it does not have, and above all of them which of several equal sets it is.
    ids: Vec<u64>,
    id_type: DataType,
    /// By key: its bit.
    bits: Vec<u64>,
}

impl Sets {
    /// The sets of an aggregation, if it has such.
    pub(super) fn of(aggregate: &Aggregate) -> Result<Option<Self>, PlanError> {
        let [Expr::GroupingSet(sets)] = aggregate.group_expr.as_slice() else {
            return Ok(None);
        };
        let keys = grouping_set_to_exprlist(&aggregate.group_expr)?;
        let id = aggregate.schema.fields().get(keys.len());
        let id = id.ok_or_else(|| PlanError::internal("an aggregation of sets has no id"))?;
        let count = u32::try_from(keys.len()).unwrap_or(u32::MAX);
        // The last key has the lowest bit, as GROUPING counts.
        let bit = |place: u32| 1u64.checked_shl(count - 1 - place);
        let bits: Option<Vec<u64>> = (0..count).map(bit).collect();
        let too_many = || PlanError::unsupported("so many columns in GROUPING SETS", None);
        let bits = bits.ok_or_else(too_many)?;
        let mut ids: Vec<u64> = Vec::new();
        let mut missing_of_all: Vec<u64> = Vec::new();
        for set in enumerated(sets) {
            let missing = keys.iter().zip(&bits).filter(|(key, _)| !set.contains(key));
            let missing = missing.fold(0, |all, (_, bit)| all | bit);
            let same = missing_of_all.iter().filter(|m| **m == missing).count() as u64;
            let above = match same {
                0 => Some(0),
                _ => same.checked_shl(count).filter(|a| a >> count == same),
            };
            ids.push(missing | above.ok_or_else(too_many)?);
            missing_of_all.push(missing);
        }
        Ok(Some(Sets {
            ids,
            id_type: id.data_type().clone(),
            bits,
        }))
    }

    /// Whether all sets have the key.
    pub(super) fn always(&self, key: usize) -> bool {
        let bit = self.bits.get(key).copied().unwrap_or(0);
        self.ids.iter().all(|id| id & bit == 0)
    }

    /// The same where only these of the keys are left.
    pub(super) fn with_keys(&self, kept: &[usize]) -> Self {
        let bits = kept.iter().filter_map(|key| self.bits.get(*key).copied());
        Sets {
            bits: bits.collect(),
            ..self.clone()
        }
    }

    /// The ids of sets with keys, and of those without any.
    fn split(&self) -> (Vec<u64>, Vec<u64>) {
        let all = self.bits.iter().fold(0, |all, bit| all | bit);
        self.ids.iter().copied().partition(|id| id & all != all)
    }

    fn literal(&self, value: u64) -> Result<ScalarValue, PlanError> {
        Ok(ScalarValue::UInt64(Some(value)).cast_to(&self.id_type)?)
    }

    /// The key where the set with this id has it, else NULL.
    fn key(&self, key: usize, column: ExprRef, id: &ExprRef) -> Result<ExprRef, PlanError> {
        if self.always(key) {
            return Ok(column);
        }
        let bit = self.bits.get(key).copied().unwrap_or(0);
        let literal =
            |value| Ok::<ExprRef, PlanError>(Arc::new(Literal::new(self.literal(value)?)));
        let masked = BinaryExpr::new(Arc::clone(id), Operator::BitwiseAnd, literal(bit)?);
        let there = BinaryExpr::new(Arc::new(masked), Operator::Eq, literal(0)?);
        let case = CaseExpr::try_new(None, vec![(Arc::new(there), column)], None)?;
        Ok(Arc::new(case))
    }
}

/// The keys of each set.
fn enumerated(sets: &GroupingSet) -> Vec<Vec<&Expr>> {
    match sets {
        GroupingSet::GroupingSets(sets) => sets.iter().map(|s| s.iter().collect()).collect(),
        GroupingSet::Rollup(keys) => (0..=keys.len())
            .rev()
            .map(|count| keys.iter().take(count).collect())
            .collect(),
        GroupingSet::Cube(keys) => keys.iter().fold(vec![Vec::new()], |sets, key| {
            let with_key = |set: &Vec<_>| set.iter().copied().chain([key]).collect();
            let with: Vec<Vec<&Expr>> = sets.iter().map(with_key).collect();
            with.into_iter().chain(sets).collect()
        }),
    }
}

impl Builder<'_> {
    /// Aggregates over each of the sets of a grouping. `fields` are those of the result.
    pub(super) fn aggregate_sets(
        &mut self,
        input: NodeId,
        grouping: Grouping,
        fields: &Fields,
    ) -> Result<NodeId, PlanError> {
        let Some(sets) = grouping.sets.clone() else {
            return self.aggregate_over(input, grouping);
        };
        let (with_keys, without) = sets.split();
        let mut branches = Vec::new();
        for id in &without {
            let id = Literal::new(sets.literal(*id)?);
            branches.push(self.total(input, &grouping, Arc::new(id), fields)?);
        }
        if !with_keys.is_empty() {
            let sets = Sets {
                ids: with_keys,
                ..sets
            };
            let grouping = Grouping {
                sets: Some(sets),
                ..grouping
            };
            branches.insert(0, self.aggregate_over(input, grouping)?);
        }
        match branches.as_slice() {
            [only] => Ok(*only),
            _ => self.union_all(branches),
        }
    }

    /// The aggregates over everything, with NULL for the keys.
    fn total(
        &mut self,
        input: NodeId,
        grouping: &Grouping,
        id: ExprRef,
        fields: &Fields,
    ) -> Result<NodeId, PlanError> {
        let keys = grouping.keys.len();
        let total = match grouping.calls.is_empty() {
            // Whatever the input is, it has one row.
            true => self.values(Values::placeholder(true)?),
            false => {
                let everything = Grouping {
                    keys: Vec::new(),
                    key_names: Vec::new(),
                    calls: grouping.calls.clone(),
                    names: grouping.names.iter().skip(keys + 1).cloned().collect(),
                    sets: None,
                };
                self.group_aggregate(input, everything)?
            }
        };
        let mut columns: Vec<ExprRef> = Vec::new();
        for field in fields.iter().take(keys) {
            let null = ScalarValue::try_from(field.data_type())?;
            columns.push(Arc::new(Literal::new(null)));
        }
        columns.push(id);
        let schema = Arc::clone(&self.properties(total)?.schema);
        let results = expression::all_columns(&schema);
        columns.extend(results.into_iter().take(grouping.calls.len()));
        self.calc(total, None, columns, grouping.names.clone())
    }

    /// Each row once for each set: the first `keys` columns as the set has them, the set's id, and the others.
    pub(super) fn expand(
        &mut self,
        input: NodeId,
        keys: usize,
        sets: &Sets,
    ) -> Result<NodeId, PlanError> {
        let schema = Arc::clone(&self.properties(input)?.schema);
        let width = schema.fields().len();
        let mut names = names_of(schema.fields());
        names.insert(keys, Aggregate::INTERNAL_GROUPING_ID.to_string());
        let ids = sets.ids.iter().map(|id| sets.literal(*id));
        let ids: Vec<ScalarValue> = ids.collect::<Result<_, _>>()?;
        let (rows, id): (NodeId, ExprRef) = match ids.as_slice() {
            [only] => (input, Arc::new(Literal::new(only.clone()))),
            _ => {
                let values: ArrayRef = ScalarValue::iter_to_array(ids)?;
                let list = list_of(values);
                let columns = (0..width).map(UnnestColumn::Input);
                let columns: Vec<_> = columns.chain([UnnestColumn::Element]).collect();
                let names = names_of(schema.fields()).into_iter();
                let names = names.chain([Aggregate::INTERNAL_GROUPING_ID.to_string()]);
                let rows = self.unnest_column((input, list), false, columns, names.collect())?;
                let schema = Arc::clone(&self.properties(rows)?.schema);
                (rows, expression::column(&schema, width)?)
            }
        };
        let schema = Arc::clone(&self.properties(rows)?.schema);
        let mut columns = Vec::new();
        for index in 0..width {
            let column = expression::column(&schema, index)?;
            if index == keys {
                columns.push(Arc::clone(&id));
            }
            columns.push(match index < keys {
                true => sets.key(index, column, &id)?,
                false => column,
            });
        }
        if keys == width {
            columns.push(id);
        }
        self.calc(rows, None, columns, names)
    }
}

/// An array with these elements.
fn list_of(values: ArrayRef) -> ExprRef {
    let element = Arc::new(Field::new("item", values.data_type().clone(), false));
    let offsets = OffsetBuffer::from_lengths([values.len()]);
    let list = ListArray::new(element, offsets, values, None);
    Arc::new(Literal::new(ScalarValue::List(Arc::new(list))))
}
