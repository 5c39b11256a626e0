//! Ranks become operators: rows travel to where their partition is.

use arrow::datatypes::Schema;
use levada_engine::element::ChangelogMode;
use levada_engine::graph::{OperatorSpec, OrderColumn, RankSpec, WireSchema};
use levada_language::types::SqlType;

use super::lineage::Lineage;
use super::operators::{Lowering, Operator};
use crate::streaming::{Node, Rank, UpsertMaterialize};
use levada_language::error::PlanError;

#[cfg(test)]
mod tests;

/// What keeps the rows of a table by its key.
const MATERIALIZE: &str = "UpsertMaterialize";

impl Lowering<'_> {
    pub(super) fn rank(&mut self, rank: &Rank, node: &Node) -> Result<usize, PlanError> {
        let (_, input) = self.nth_input(node, 0)?;
        let name = match (rank.deduplicates(&input.properties), rank.window) {
            (Some(_), Some(_)) => "WindowDeduplicate",
            (Some(_), None) => "Deduplicate",
            (None, Some(_)) => "WindowRank",
            (None, None) => "Rank",
        };
        self.ranked(rank, name, node)
    }

    /// The youngest row of each key.
    pub(super) fn materialize(
        &mut self,
        materialize: &UpsertMaterialize,
        node: &Node,
    ) -> Result<usize, PlanError> {
        self.ranked(&materialize.rank(), MATERIALIZE, node)
    }

    fn ranked(&mut self, rank: &Rank, name: &str, node: &Node) -> Result<usize, PlanError> {
        let newest_first = name == MATERIALIZE;
        let (input, input_node) = self.nth_input(node, 0)?;
        let updating = input_node.properties.updating;
        let by_key = self.by_key(input, &rank.partition_by)?;
        let source = self.get(input)?;
        let mut content = content(rank, updating, &source.lineage, &source.schema);
        if newest_first {
            content.insert_str(0, "Materialize ");
        } else if rank.window.is_some() {
            content.insert_str(0, "Window ");
        }
        let number = rank.number.then(|| rank.column_name());
        let columns = source.lineage.columns().into_iter().chain(number);
        let lineage = Lineage::base(&content, &[&source.lineage], columns);
        let spec = RankSpec {
            rows: WireSchema(source.schema.clone()),
            partition_by: rank.partition_by.clone(),
            order_by: rank.order_by.clone(),
            newest_first,
            function: rank.function,
            from: rank.from,
            to: rank.to,
            number: rank.number,
            updating,
            update_before: node.properties.mode != ChangelogMode::Upsert,
            ttl_ms: match rank.window {
                Some(_) => 0,
                None => self.planning.state_ttl_ms,
            },
            window: rank.window,
        };
        let parallelism = by_key.parallelism();
        let inputs = vec![self.main(input, by_key.partitioning())?];
        let uid = self.uid(&content, &[input]);
        Ok(self.push(Operator {
            uid,
            lineage,
            name: name.to_string(),
            spec: OperatorSpec::Rank(spec),
            inputs,
            schema: node.properties.schema.clone(),
            parallelism,
        }))
    }
}

/// What the operator does and keeps, for its ids: state is of use only where all of it is the same. How many
/// rows are kept depends on the range, and on whether rows are taken back.
fn content(rank: &Rank, updating: bool, lineage: &Lineage, schema: &Schema) -> String {
    format!(
        "Rank {} from {} to {} number={} updating={updating} by {} order {} rows={}",
        rank.label(),
        rank.from,
        rank.to,
        rank.number,
        lineage.names(&rank.partition_by).join("\u{1f}"),
        ordered(&rank.order_by, lineage),
        rows_of(lineage, schema),
    )
}

/// What rows are put in order by.
pub(super) fn ordered(order_by: &[OrderColumn], lineage: &Lineage) -> String {
    let order = |order: &OrderColumn| {
        let direction = if order.descending { "DESC" } else { "ASC" };
        let nulls = if order.nulls_first { "FIRST" } else { "LAST" };
        format!("{} {direction} NULLS {nulls}", lineage.column(order.column))
    };
    let order: Vec<String> = order_by.iter().map(order).collect();
    order.join("\u{1f}")
}

/// What rows are kept as: their columns and the types of these.
pub(super) fn rows_of(lineage: &Lineage, schema: &Schema) -> String {
    let columns = lineage.columns().into_iter().zip(schema.fields());
    let columns = columns.map(|(column, field)| {
        let data_type = SqlType::from_arrow(field.data_type());
        format!("{column} {data_type}")
    });
    columns.collect::<Vec<_>>().join("\u{1f}")
}
