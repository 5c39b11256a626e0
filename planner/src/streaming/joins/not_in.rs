//! NOT IN where NULL may come up.
//!
//! `(x = y) IS NOT FALSE` holds if x = y, if x is NULL, or if y is NULL. A row that must have no partner by
//! any of them must have none by each, so the join is two: one by key, and one for what is NULL. The second
//! has no key, and so one subtask, unless the condition has another equality; where neither side can be NULL,
//! as IS NOT NULL in the query may say, it is left out. Of the values only whether there is one, or one
//! that is NULL, gets there.

use std::sync::Arc;

use datafusion::common::ScalarValue;
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::{
    BinaryExpr, CastExpr, Column, IsNotNullExpr, IsNullExpr, Literal,
};
use datafusion::physical_expr::utils::split_conjunction;
use levada_engine::graph::JoinKind;

use super::Condition;
use crate::streaming::build::{Builder, names};
use crate::streaming::calc::and;
use crate::streaming::expression::{self, ExprRef};
use crate::streaming::{GroupAggregate, NodeId, NodeKind};
use levada_language::error::PlanError;

impl Builder<'_> {
    /// The rows of `left` for which no row of `right` meets the condition and makes the two values
    /// equal or NULL.
    pub(super) fn not_in(
        &mut self,
        left: (NodeId, usize),
        right: (NodeId, usize),
        condition: Condition,
        (value, listed): (ExprRef, ExprRef),
    ) -> Result<NodeId, PlanError> {
        let (value_null, listed_null) = (
            self.may_be_null(left.0, &value)?,
            self.may_be_null(right.0, &listed)?,
        );
        let mut keys = condition.keys.clone();
        let null_equals_null = condition.null_equals_null;
        let mut rest = condition.rest.clone();
        let pair = (Arc::clone(&value), Arc::clone(&listed));
        match null_equals_null {
            false => keys.push(pair),
            true => {
                let equal = BinaryExpr::new(pair.0, Operator::Eq, shifted(&pair.1, left.1)?);
                rest = and(rest, Some(Arc::new(equal)));
            }
        }
        let equal = Condition {
            keys,
            null_equals_null,
            rest,
            not_in: None,
            ttl: condition.ttl,
        };
        let mut known = right;
        if listed_null && !null_equals_null {
            let given: ExprRef = Arc::new(IsNotNullExpr::new(listed.clone()));
            known.0 = self.only(right.0, given)?;
        }
        let unequal = self.join_by(JoinKind::Anti, left, known, equal)?;
        let left = (unequal, left.1);
        match (value_null, listed_null) {
            (false, false) => Ok(unequal),
            (true, false) => self.without_null(left, right, condition, Some(value), None),
            (false, true) => self.without_null(left, right, condition, None, Some(listed)),
            (true, true) => self.without_null(left, right, condition, Some(value), Some(listed)),
        }
    }

    /// The rows of `left` without those for which `value` is NULL and that have a partner, and
    /// without those that have a partner for which `listed` is NULL.
    fn without_null(
        &mut self,
        left: (NodeId, usize),
        mut right: (NodeId, usize),
        mut condition: Condition,
        value: Option<ExprRef>,
        listed: Option<ExprRef>,
    ) -> Result<NodeId, PlanError> {
        let mut listed = listed.map(|e| is_null(&e));
        if value.is_none()
            && let Some(missing) = listed.take()
        {
            right.0 = self.only(right.0, missing)?;
        }
        let alone = condition.keys.is_empty() && condition.rest.is_none();
        if alone {
            right = (self.distinct(right.0, listed.as_ref())?, 1);
            listed = listed.map(|_| -> ExprRef { Arc::new(Column::new("missing", 0)) });
        }
        let listed = listed.map(|e| shifted(&e, left.1)).transpose()?;
        let missing = match (value.map(|e| is_null(&e)), listed) {
            (Some(a), Some(b)) => Some(Arc::new(BinaryExpr::new(a, Operator::Or, b)) as ExprRef),
            (a, b) => a.or(b),
        };
        condition.rest = and(condition.rest, missing);
        self.join_by(JoinKind::Anti, left, right, condition)
    }

    /// The rows that meet a condition.
    fn only(&mut self, input: NodeId, condition: ExprRef) -> Result<NodeId, PlanError> {
        let schema = Arc::clone(&self.properties(input)?.schema);
        let columns = expression::all_columns(&schema);
        self.calc(input, Some(condition), columns, names(schema.fields()))
    }

    /// The values of an expression, or whether there is any row, each once.
    fn distinct(&mut self, input: NodeId, expr: Option<&ExprRef>) -> Result<NodeId, PlanError> {
        let any: ExprRef = Arc::new(Literal::new(ScalarValue::Boolean(Some(true))));
        let (expr, name) = match expr {
            Some(expr) => (Arc::clone(expr), "missing"),
            None => (any, "row"),
        };
        let input = self.calc(input, None, vec![expr], vec![name.to_string()])?;
        let node = GroupAggregate {
            keys: vec![0],
            calls: Vec::new(),
            emit_update_before: true,
            ttl_ms: None,
            whole: false,
        };
        let properties = node.properties(self.properties(input)?)?;
        let kind = NodeKind::GroupAggregate(node);
        Ok(self.plan.add(kind, vec![input], properties))
    }

    /// Whether an expression over a node may be NULL, as its type and the conditions below say.
    fn may_be_null(&self, id: NodeId, expr: &ExprRef) -> Result<bool, PlanError> {
        let schema = &self.properties(id)?.schema;
        if !expr.nullable(schema)? {
            return Ok(false);
        }
        if let Some(cast) = expr.downcast_ref::<CastExpr>() {
            return self.may_be_null(id, cast.expr());
        }
        let node = self.plan.node(id);
        let (Some(column), Some(node)) = (expression::as_column(expr), node) else {
            return Ok(true);
        };
        match (&node.kind, node.inputs.as_slice()) {
            (NodeKind::Calc(calc), [input]) => {
                let Some(below) = calc.projection.get(column) else {
                    return Ok(true);
                };
                let asks = |e: &ExprRef| {
                    let test = e.downcast_ref::<IsNotNullExpr>();
                    test.is_some_and(|test| test.arg() == below)
                };
                let mut conditions = calc.filter.iter().flat_map(split_conjunction);
                if conditions.any(asks) {
                    return Ok(false);
                }
                self.may_be_null(*input, below)
            }
            (NodeKind::Join(join), [left, _])
                if matches!(join.kind, JoinKind::Semi | JoinKind::Anti) =>
            {
                self.may_be_null(*left, expr)
            }
            _ => Ok(true),
        }
    }
}

fn is_null(expr: &ExprRef) -> ExprRef {
    Arc::new(IsNullExpr::new(Arc::clone(expr)))
}

/// An expression over the right input, over the columns of both.
fn shifted(expr: &ExprRef, width: usize) -> Result<ExprRef, PlanError> {
    let last = expression::columns_of(expr).last().copied();
    let columns = (0..last.map_or(0, |last| last + 1))
        .map(|index| -> ExprRef { Arc::new(Column::new("right", width + index)) });
    expression::substitute(expr, &columns.collect::<Vec<_>>())
}
