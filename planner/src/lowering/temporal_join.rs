//! Joins with versions become operators: both inputs travel to where the key of the versions is.

use arrow::datatypes::Schema;
use levada_engine::graph::{JoinInput, OperatorSpec, TemporalJoinSpec, WireSchema};
use std::sync::Arc;

use super::join::{columns, rows};
use super::lineage::Lineage;
use super::operators::{Lowering, Operator, encode};
use crate::streaming::{Node, TemporalJoin, substitute, text};
use levada_language::error::PlanError;

#[cfg(test)]
mod tests;

impl Lowering<'_> {
    pub(super) fn temporal_join(
        &mut self,
        join: &TemporalJoin,
        node: &Node,
    ) -> Result<usize, PlanError> {
        let (left, _) = self.nth_input(node, 0)?;
        let (right, versions) = self.nth_input(node, 1)?;
        let updating = versions.properties.updating;
        let by_key = (
            self.by_key(left, &join.left_keys)?,
            self.by_key(right, &join.right_keys)?,
        );
        let (left_operator, right_operator) = (self.get(left)?, self.get(right)?);
        let sides = (&left_operator.lineage, &right_operator.lineage);
        let schemas = (&left_operator.schema, &right_operator.schema);
        let content = content(join, sides, (schemas.0, schemas.1))?;
        let own = columns(sides.0, sides.1);
        let lineage = Lineage::base(&content, &[sides.0, sides.1], own.iter().map(text));
        let input = |keys: &[usize], schema: &Arc<Schema>, updating| JoinInput {
            keys: keys.to_vec(),
            rows: WireSchema(Arc::clone(schema)),
            updating,
        };
        let spec = TemporalJoinSpec {
            left: input(&join.left_keys, schemas.0, false),
            right: input(&join.right_keys, schemas.1, updating),
            outer: join.outer,
            as_of: join.as_of,
            exists: join.exists,
            condition: join.condition.as_ref().map(encode).transpose()?,
            // What event time lets go needs no other time to live.
            ttl_ms: match join.as_of {
                None => self.planning.state_ttl_ms,
                Some(_) => 0,
            },
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
            name: format!("TemporalJoin({})", join.label()),
            spec: OperatorSpec::TemporalJoin(spec),
            inputs,
            schema: node.properties.schema.clone(),
            parallelism,
        }))
    }
}

/// What the operator does and keeps, for its ids: state is of use only where all of it is the same, the columns
/// of both sides included.
fn content(
    join: &TemporalJoin,
    (left, right): (&Lineage, &Lineage),
    (left_schema, right_schema): (&Schema, &Schema),
) -> Result<String, PlanError> {
    let condition = match &join.condition {
        Some(condition) => text(&substitute(condition, &columns(left, right))?),
        None => String::new(),
    };
    let as_of = join.as_of.map(|as_of| {
        let (left, right) = (left.column(as_of.left), right.column(as_of.right));
        format!("{left} from {right} earlier={}", as_of.earlier)
    });
    let exists = join.exists.map(|column| right.column(column));
    Ok(format!(
        "TemporalJoin {} on {} = {} as of {} exists {} where {condition} left={} right={}",
        join.label(),
        left.names(&join.left_keys).join("\u{1f}"),
        right.names(&join.right_keys).join("\u{1f}"),
        as_of.unwrap_or_default(),
        exists.unwrap_or_default(),
        rows(left, left_schema),
        rows(right, right_schema),
    ))
}
