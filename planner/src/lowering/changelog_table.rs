//! Changes as rows, and rows as changes, become operators.

use levada_engine::element::{ChangelogMode, RowKind};
use levada_engine::graph::{FromChangelogSpec, OperatorSpec, Partitioning, ToChangelogSpec};

use super::lineage::Lineage;
use super::operators::{Lowering, Operator};
use crate::streaming::{FromChangelog, Node, ToChangelog};
use levada_language::error::PlanError;

#[cfg(test)]
mod tests;

impl Lowering<'_> {
    /// Rows stay where they are, or travel to their partition.
    pub(super) fn changes_as_rows(
        &mut self,
        to: &ToChangelog,
        node: &Node,
    ) -> Result<usize, PlanError> {
        let (input, input_node) = self.nth_input(node, 0)?;
        let with_before = input_node.properties.mode == ChangelogMode::Retract;
        let source = self.get(input)?;
        let (partitioning, parallelism) = match to.partition_by.is_empty() {
            true => (Partitioning::Forward, source.parallelism),
            false => {
                let by_key = self.by_key(input, &to.partition_by)?;
                (by_key.partitioning(), by_key.parallelism())
            }
        };
        let below = &source.lineage;
        let content = format!(
            "ToChangelog {} by {}",
            codes(&to.codes),
            below.names(&to.partition_by).join("\u{1f}"),
        );
        let columns = to.columns.iter();
        let column = |column: &Option<usize>| match column {
            Some(column) => below.column(*column),
            None => "the kind of change".to_string(),
        };
        let lineage = Lineage::base(&content, &[below], columns.map(column));
        let spec = ToChangelogSpec {
            codes: to.codes.clone(),
            columns: to.columns.clone(),
            identity: to.identity.clone(),
            with_before,
        };
        let inputs = vec![self.main(input, partitioning)?];
        let uid = self.uid(&content, &[input]);
        Ok(self.push(Operator {
            uid,
            lineage,
            name: "ToChangelog".to_string(),
            spec: OperatorSpec::ToChangelog(spec),
            inputs,
            schema: node.properties.schema.clone(),
            parallelism,
        }))
    }

    pub(super) fn rows_as_changes(
        &mut self,
        from: &FromChangelog,
        node: &Node,
    ) -> Result<usize, PlanError> {
        let input = self.input_of(node)?;
        let source = self.get(input)?;
        let below = &source.lineage;
        let op = below.column(from.op);
        let content = format!("FromChangelog {} of {op}", codes(&from.codes));
        let columns = below.names(&from.columns);
        let lineage = Lineage::base(&content, &[below], columns);
        let spec = FromChangelogSpec {
            op: from.op,
            op_name: source.schema.field(from.op).name().clone(),
            codes: from.codes.clone(),
            skip: from.skip,
            columns: from.columns.clone(),
        };
        let spec = OperatorSpec::FromChangelog(spec);
        self.forward("FromChangelog", (&content, lineage), spec, input, node)
    }
}

fn codes(codes: &[(String, RowKind)]) -> String {
    let codes = codes.iter();
    let codes: Vec<String> = codes
        .map(|(code, kind)| format!("{code:?}{}", kind.short()))
        .collect();
    codes.join(" ")
}
