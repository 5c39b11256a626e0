//! Joins of the logical plan.
//!
//! Keys become columns: a key that is computed is a further column of its input's calc, and a calc behind
//! the join drops it. So rows travel by columns, and state has the types that are compared.

mod condition;
mod not_in;
mod temporal;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow::datatypes::{Field, Schema};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Join as LogicalJoin, JoinType, LogicalPlan};
use datafusion::physical_expr::expressions::{Column, Literal};
use levada_engine::graph::JoinKind;

use self::condition::Condition;
use super::build::{Builder, names};
use super::expression::{self, ExprRef};
use super::join::time::Partners;
use super::state_ttl::Ttl;
use super::{Join, NodeId, NodeKind};
use levada_language::error::PlanError;

/// The two logical inputs of a join, as the streaming plan has them.
struct Inputs<'a> {
    left: &'a LogicalPlan,
    right: &'a LogicalPlan,
}

/// An input with its keys as columns. The columns of the logical input stand first.
struct Side {
    node: NodeId,
    /// How many columns the logical input has.
    width: usize,
    /// How many there are.
    total: usize,
    keys: Vec<usize>,
}

impl Builder<'_> {
    pub(super) fn join(&mut self, join: &LogicalJoin) -> Result<NodeId, PlanError> {
        let (kind, swapped) = kind_of(join.join_type)?;
        let inputs = match swapped {
            false => Inputs {
                left: &join.left,
                right: &join.right,
            },
            true => Inputs {
                left: &join.right,
                right: &join.left,
            },
        };
        let mut condition = Condition::of(self, join, &inputs, swapped)?;
        let left = self.query(inputs.left)?;
        let right = self.query(inputs.right)?;
        let width = |plan: &LogicalPlan| plan.schema().fields().len();
        let (left, right) = ((left, width(inputs.left)), (right, width(inputs.right)));
        match condition.not_in.take() {
            Some(values) => self.not_in(left, right, condition, values),
            None => self.join_by(kind, left, right, condition),
        }
    }

    /// Joins two nodes, of which the first columns are those of the logical inputs. The output has just
    /// those.
    fn join_by(
        &mut self,
        kind: JoinKind,
        (left, left_width): (NodeId, usize),
        (right, right_width): (NodeId, usize),
        condition: Condition,
    ) -> Result<NodeId, PlanError> {
        self.refuse_varying(&[left, right], &condition)?;
        let (left_keys, right_keys) = condition.keys.iter().cloned().unzip();
        let left = self.side(left, left_width, left_keys)?;
        let right = self.side(right, right_width, right_keys)?;
        let (left_schema, right_schema) = (self.schema(left.node)?, self.schema(right.node)?);
        let columns = both((&left, &left_schema), (&right, &right_schema));
        let rest = condition.rest.as_ref();
        let rest = rest
            .map(|e| expression::substitute(e, &columns))
            .transpose()?;
        let rows = (self.properties(left.node)?, self.properties(right.node)?);
        // The columns that keys are computed from stand where they stood.
        let partners = Partners {
            left: rows.0,
            right: rows.1,
            keys: &condition.keys,
            null_equals_null: condition.null_equals_null,
            condition: rest.as_ref(),
        };
        let time = partners.time();
        // What event time lets go needs no other time to live.
        let heeded = |ttl: Option<Ttl>| ttl.filter(|_| time.is_none());
        let ttls = &mut self.state_ttls;
        let ttl_ms = condition
            .ttl
            .map(|ttl| heeded(ttl).map(|ttl| ttls.heed(ttl)));
        let node = Join {
            kind,
            left_keys: left.keys.clone(),
            right_keys: right.keys.clone(),
            null_equals_null: condition.null_equals_null,
            condition: rest,
            time,
            ttl_ms,
        };
        let gives_right = node.gives_right();
        let rows = (self.properties(left.node)?, self.properties(right.node)?);
        let properties = node.properties(rows.0, rows.1);
        let schema = Arc::clone(&properties.schema);
        let kind = NodeKind::Join(node);
        let id = self.plan.add(kind, vec![left.node, right.node], properties);
        let mut kept: Vec<usize> = (0..left.width).collect();
        if gives_right {
            kept.extend((0..right.width).map(|column| left.total + column));
        }
        if kept.len() == schema.fields().len() {
            return Ok(id);
        }
        self.pick(id, &kept)
    }

    fn schema(&self, id: NodeId) -> Result<Arc<Schema>, PlanError> {
        Ok(Arc::clone(&self.properties(id)?.schema))
    }

    /// A calc with some of the columns.
    fn pick(&mut self, id: NodeId, columns: &[usize]) -> Result<NodeId, PlanError> {
        let schema = self.schema(id)?;
        let picked = columns.iter().map(|c| expression::column(&schema, *c));
        let picked = picked.collect::<Result<Vec<_>, _>>()?;
        let all = names(schema.fields());
        let names = columns.iter().filter_map(|c| all.get(*c).cloned());
        self.calc(id, None, picked, names.collect())
    }

    /// Makes columns of the keys.
    fn side(&mut self, node: NodeId, width: usize, keys: Vec<ExprRef>) -> Result<Side, PlanError> {
        let schema = self.schema(node)?;
        let mut columns = expression::all_columns(&schema);
        let mut names = names(schema.fields());
        columns.truncate(width);
        names.truncate(width);
        let mut places = Vec::new();
        for key in keys {
            let place = columns.iter().position(|known| known == &key);
            places.push(place.unwrap_or(columns.len()));
            if place.is_none() {
                names.push(expression::text(&key));
                columns.push(key);
            }
        }
        // Only whether there is a row counts; a batch needs a column all the same.
        if columns.is_empty() {
            let nothing = Literal::new(ScalarValue::Boolean(Some(true)));
            columns.push(Arc::new(nothing));
            names.push("row".to_string());
        }
        let total = columns.len();
        let as_it_is = total == width && total == schema.fields().len();
        Ok(Side {
            node: match as_it_is {
                true => node,
                false => self.calc(node, None, columns, names)?,
            },
            width,
            total,
            keys: places,
        })
    }

    /// A row that is taken back must be the row that came, and decide again as it did.
    fn refuse_varying(&self, inputs: &[NodeId], condition: &Condition) -> Result<(), PlanError> {
        let mut updating = false;
        let mut varies = condition.varies();
        for id in inputs {
            updating |= self.properties(*id)?.updating;
            varies |= self.varies_below(*id);
        }
        if !(updating && varies) {
            return Ok(());
        }
        let what = "a join of rows that change by or with a value that is another each time it is computed, \
                    such as PROCTIME() or RAND(),";
        Err(PlanError::unsupported(what, self.first_join)
            .hint("compute the value behind the join, or in front of what makes the rows change"))
    }
}

/// What the columns of both logical inputs, one behind the other, are as columns of a join's condition.
fn both((left, of_left): (&Side, &Schema), (right, of_right): (&Side, &Schema)) -> Vec<ExprRef> {
    let columns = |name: &str, side: &Side, schema: &Schema, offset: usize| -> Vec<ExprRef> {
        let fields = schema.fields().iter().take(side.width).enumerate();
        let column = |(index, field): (usize, &Arc<Field>)| -> ExprRef {
            let name = format!("{name}.{}", field.name());
            Arc::new(Column::new(&name, index + offset))
        };
        fields.map(column).collect()
    };
    let mut both = columns("left", left, of_left, 0);
    both.extend(columns("right", right, of_right, left.total));
    both
}

/// The kind, and whether left and right change places for it.
fn kind_of(join_type: JoinType) -> Result<(JoinKind, bool), PlanError> {
    Ok(match join_type {
        JoinType::Inner => (JoinKind::Inner, false),
        JoinType::Left => (JoinKind::Left, false),
        JoinType::Right => (JoinKind::Right, false),
        JoinType::Full => (JoinKind::Full, false),
        JoinType::LeftSemi => (JoinKind::Semi, false),
        JoinType::LeftAnti => (JoinKind::Anti, false),
        JoinType::RightSemi => (JoinKind::Semi, true),
        JoinType::RightAnti => (JoinKind::Anti, true),
        JoinType::LeftMark | JoinType::RightMark => {
            return Err(PlanError::internal("a join with a mark was let through"));
        }
    })
}
