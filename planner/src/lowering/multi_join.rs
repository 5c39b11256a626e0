//! Joins of several inputs become operators: all inputs travel to where their key is.

use levada_engine::graph::{JoinInput, MultiJoinSpec, OperatorSpec, WireSchema};

use super::join::rows;
use super::lineage::Lineage;
use super::operators::{Lowering, Operator};
use crate::streaming::{MultiJoin, Node};
use levada_language::error::PlanError;

impl Lowering<'_> {
    pub(super) fn multi_join(&mut self, join: &MultiJoin, node: &Node) -> Result<usize, PlanError> {
        let mut operators = Vec::new();
        let mut specs = Vec::new();
        let mut inputs = Vec::new();
        let mut parallelism = 1;
        // What it does and keeps, for its ids: state is of use only where all of it is the same.
        let mut content = "MultiJoin".to_string();
        for (place, (keys, padded)) in join.keys.iter().zip(&join.padded).enumerate() {
            let (operator, below) = self.nth_input(node, place)?;
            let updating = below.properties.updating;
            let by_key = self.by_key(operator, keys)?;
            parallelism = by_key.parallelism();
            inputs.push(self.main(operator, by_key.partitioning())?);
            let found = self.get(operator)?;
            let key = found.lineage.names(keys).join("\u{1f}");
            let kept = rows(&found.lineage, &found.schema);
            content.push_str(&format!(" {place} on {key} padded={padded} rows={kept}"));
            specs.push(JoinInput {
                keys: keys.clone(),
                rows: WireSchema(found.schema.clone()),
                updating,
            });
            operators.push(operator);
        }
        let mut below: Vec<&Lineage> = Vec::new();
        for operator in &operators {
            below.push(&self.get(*operator)?.lineage);
        }
        let column = |(input, column): &(usize, usize)| {
            let own = below.get(*input).map(|lineage| lineage.column(*column));
            format!("{input}.{}", own.unwrap_or_default())
        };
        let lineage = Lineage::base(&content, &below, join.columns.iter().map(column));
        let spec = MultiJoinSpec {
            inputs: specs,
            padded: join.padded.clone(),
            columns: join.columns.clone(),
            ttl_ms: self.planning.state_ttl_ms,
        };
        let uid = self.uid(&content, &operators);
        Ok(self.push(Operator {
            uid,
            lineage,
            name: "MultiJoin".to_string(),
            spec: OperatorSpec::MultiJoin(spec),
            inputs,
            schema: node.properties.schema.clone(),
            parallelism,
        }))
    }
}
