//! Conditions upon sessions.
//!
//! `WHERE` behind SESSION chooses rows of sessions, which all rows have made; in front of it, sessions would be others. So
//! the calls count only the rows that it chooses, and sessions without such a row do not come. What is about the keys of
//! sessions alone chooses whole sessions, and stands in front.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::{BinaryExpr, CaseExpr, Literal};
use datafusion::physical_expr::utils::split_conjunction;

use super::grouping::{Grouping, RawCall};
use crate::streaming::NodeId;
use crate::streaming::build::{Builder, names};
use crate::streaming::calc::and;
use crate::streaming::expression::{self, ExprRef};
use crate::streaming::group_aggregate::Function;
use levada_language::error::PlanError;

/// What the count of chosen rows is called.
const CHOSEN: &str = "chosen rows";

/// The part of a condition that may stand in front of sessions by these keys, and the rest.
pub(super) fn split(
    condition: Option<ExprRef>,
    session_keys: &[ExprRef],
) -> (Option<ExprRef>, Option<ExprRef>) {
    let keys: Vec<usize> = session_keys
        .iter()
        .filter_map(expression::as_column)
        .collect();
    let (mut below, mut rest) = (None, None);
    let Some(condition) = condition else {
        return (below, rest);
    };
    for part in split_conjunction(&condition) {
        let about_keys = expression::columns_of(part)
            .iter()
            .all(|c| keys.contains(c));
        match about_keys {
            true => below = and(below, Some(Arc::clone(part))),
            false => rest = and(rest, Some(Arc::clone(part))),
        }
    }
    (below, rest)
}

/// The same aggregation of the chosen rows alone, with one more call: how many they are.
pub(super) fn of_chosen(grouping: Grouping, chosen: &ExprRef) -> Result<Grouping, PlanError> {
    let only = |argument: ExprRef| -> Result<ExprRef, PlanError> {
        // Of other rows it is not asked: it may fail for them.
        let when = vec![(Arc::clone(chosen), argument)];
        Ok(Arc::new(CaseExpr::try_new(None, when, None)?))
    };
    let mut calls = Vec::new();
    for call in grouping.calls {
        let filter = call.filter.map(only).transpose()?;
        calls.push(RawCall {
            argument: call.argument.map(only).transpose()?,
            filter: and(Some(Arc::clone(chosen)), filter),
            ..call
        });
    }
    calls.push(RawCall {
        function: Function::Count,
        distinct: false,
        argument: None,
        filter: Some(Arc::clone(chosen)),
        argument_type: DataType::Int64,
        result_type: DataType::Int64,
    });
    let mut names = grouping.names;
    names.push(CHOSEN.to_string());
    Ok(Grouping {
        calls,
        names,
        ..grouping
    })
}

impl Builder<'_> {
    /// The sessions that have a chosen row, without the count of these, which is the last column.
    pub(super) fn with_chosen(&mut self, sessions: NodeId) -> Result<NodeId, PlanError> {
        let schema = Arc::clone(&self.properties(sessions)?.schema);
        let mut columns = expression::all_columns(&schema);
        let mut names = names(schema.fields());
        let Some(count) = columns.pop() else {
            return Err(PlanError::internal("sessions have no column"));
        };
        names.pop();
        let none = Arc::new(Literal::new(ScalarValue::Int64(Some(0))));
        let some: ExprRef = Arc::new(BinaryExpr::new(count, Operator::Gt, none));
        self.calc(sessions, Some(some), columns, names)
    }
}
