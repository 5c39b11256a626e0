//! UNNEST becomes an operator that stays where its rows are.

use levada_engine::graph::{OperatorSpec, UnnestColumn, UnnestSpec};

use super::lineage::Lineage;
use super::operators::Lowering;
use crate::streaming::{Node, Unnest};
use levada_language::error::PlanError;

impl Lowering<'_> {
    pub(super) fn unnest(&mut self, unnest: &Unnest, node: &Node) -> Result<usize, PlanError> {
        let input = self.input_of(node)?;
        let source = self.get(input)?;
        let outer = if unnest.outer { " outer" } else { "" };
        let below = &source.lineage;
        let collection = below.column(unnest.collection);
        let column = |column: &UnnestColumn| match column {
            UnnestColumn::Input(index) => below.column(*index),
            UnnestColumn::Element => format!("element of {collection}"),
            UnnestColumn::Field(place) => format!("field {place} of {collection}"),
            UnnestColumn::Ordinality => format!("ordinality in {collection}"),
        };
        let columns: Vec<String> = unnest.columns.iter().map(column).collect();
        let coarse = format!("Unnest{outer} {collection}");
        let content = format!("{coarse} select {}", columns.join(", "));
        let lineage = Lineage::base(&coarse, &[below], columns);
        let spec = OperatorSpec::Unnest(UnnestSpec {
            collection: unnest.collection,
            outer: unnest.outer,
            columns: unnest.columns.clone(),
        });
        self.forward("Unnest", (&content, lineage), spec, input, node)
    }
}
