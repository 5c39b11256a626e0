//! Joins become operators: both inputs travel to where their key is.

use arrow::datatypes::Schema;
use datafusion::physical_expr::expressions::Column;
use levada_engine::graph::{JoinInput, JoinSpec, JoinUntil, OperatorSpec, WireSchema};
use levada_language::types::SqlType;
use std::sync::Arc;

use super::lineage::Lineage;
use super::operators::{Lowering, Operator, encode};
use crate::streaming::{ExprRef, Join, Node, substitute, text};
use levada_language::error::PlanError;

#[cfg(test)]
mod tests;

impl Lowering<'_> {
    pub(super) fn join(&mut self, join: &Join, node: &Node) -> Result<usize, PlanError> {
        let (left, left_node) = self.nth_input(node, 0)?;
        let (right, right_node) = self.nth_input(node, 1)?;
        let updating = [left_node, right_node].map(|node| node.properties.updating);
        let by_key = (
            self.by_key(left, &join.left_keys)?,
            self.by_key(right, &join.right_keys)?,
        );
        let (left_operator, right_operator) = (self.get(left)?, self.get(right)?);
        let sides = (&left_operator.lineage, &right_operator.lineage);
        let schemas = (&left_operator.schema, &right_operator.schema);
        let content = content(join, sides, (schemas.0, schemas.1))?;
        let name = join.name(&left_node.properties);
        let lineage = lineage(join, &content, sides);
        let input = |keys: &[usize], schema: &Arc<Schema>, updating| JoinInput {
            keys: keys.to_vec(),
            rows: WireSchema(Arc::clone(schema)),
            updating,
        };
        let spec = JoinSpec {
            kind: join.kind,
            left: input(&join.left_keys, schemas.0, updating[0]),
            right: input(&join.right_keys, schemas.1, updating[1]),
            null_equals_null: join.null_equals_null,
            condition: join.condition.as_ref().map(encode).transpose()?,
            // What event time lets go needs no other time to live.
            ttl_ms: match join.time {
                None => self.planning.state_ttl_ms,
                Some(_) => 0,
            },
            input_ttl_ms: join.ttl_ms,
            time: join.time,
        };
        let parallelism = by_key.0.parallelism();
        let inputs = vec![
            self.main(left, by_key.0.partitioning())?,
            self.main(right, by_key.1.partitioning())?,
        ];
        let uid = self.uid(&content, &[left, right]);
        Ok(self.push(Operator {
            uid,
            lineage,
            name: format!("{name}({})", join.label()),
            spec: OperatorSpec::Join(spec),
            inputs,
            schema: node.properties.schema.clone(),
            parallelism,
        }))
    }
}

/// What the operator does and keeps, for its ids: state is of use only where all of it is the same, the
/// columns of both sides included.
fn content(
    join: &Join,
    (left, right): (&Lineage, &Lineage),
    (left_schema, right_schema): (&Schema, &Schema),
) -> Result<String, PlanError> {
    let keys = |lineage: &Lineage, keys: &[usize]| lineage.names(keys).join("\u{1f}");
    let condition = match &join.condition {
        Some(condition) => text(&substitute(condition, &columns(left, right))?),
        None => String::new(),
    };
    let until = |lineage: &Lineage, until: JoinUntil| {
        format!("{} + {}", lineage.column(until.column), until.after_ms)
    };
    let time = join.time.map(|time| {
        let (left, right) = (until(left, time.left), until(right, time.right));
        format!(" until {left} and {right}")
    });
    Ok(format!(
        "Join {} on {} = {} nulls={} where {condition} left={} right={}{}",
        join.label(),
        keys(left, &join.left_keys),
        keys(right, &join.right_keys),
        join.null_equals_null,
        rows(left, left_schema),
        rows(right, right_schema),
        time.unwrap_or_default(),
    ))
}

/// A column of a join is what it is in its input.
fn lineage(join: &Join, content: &str, (left, right): (&Lineage, &Lineage)) -> Lineage {
    let own = match join.gives_right() {
        true => columns(left, right),
        false => columns(left, &Lineage::default()),
    };
    Lineage::base(content, &[left, right], own.iter().map(text))
}

/// The columns of one side with their types.
pub(super) fn rows(lineage: &Lineage, schema: &Schema) -> String {
    let columns = lineage.columns().into_iter().zip(schema.fields());
    let columns = columns.map(|(column, field)| {
        let data_type = SqlType::from_arrow(field.data_type());
        format!("{column} {data_type}")
    });
    columns.collect::<Vec<_>>().join("\u{1f}")
}

/// The columns of both sides, one behind the other.
pub(super) fn columns(left: &Lineage, right: &Lineage) -> Vec<ExprRef> {
    let of_left = left.columns().into_iter().map(|c| format!("left.{c}"));
    let of_right = right.columns().into_iter().map(|c| format!("right.{c}"));
    let column =
        |(index, name): (usize, String)| -> ExprRef { Arc::new(Column::new(&name, index)) };
    of_left.chain(of_right).enumerate().map(column).collect()
}
