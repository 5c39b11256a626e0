//! Functions with OVER become operators: rows travel to where their partition is.

use arrow::datatypes::Schema;
use levada_engine::element::ChangelogMode;
use levada_engine::graph::{OperatorSpec, OverForm, OverSpec, WireSchema};

use super::lineage::Lineage;
use super::operators::{Lowering, Operator};
use super::rank::{ordered, rows_of};
use crate::streaming::{Node, Over, OverValue};
use levada_language::error::PlanError;

impl Lowering<'_> {
    pub(super) fn over(&mut self, over: &Over, node: &Node) -> Result<usize, PlanError> {
        let input = self.input_of(node)?;
        let by_key = self.by_key(input, &over.partition_by)?;
        let source = self.get(input)?;
        let content = content(over, &source.lineage, &source.schema);
        let values = over.values.iter().map(|value| value.name.clone());
        let columns = source.lineage.columns().into_iter().chain(values);
        let lineage = Lineage::base(&content, &[&source.lineage], columns);
        let corrected = matches!(over.form, OverForm::Corrected { .. });
        let spec = OverSpec {
            rows: WireSchema(source.schema.clone()),
            partition_by: over.partition_by.clone(),
            order_by: over.order_by.clone(),
            form: over.form,
            calls: over.values.iter().map(OverValue::spec).collect(),
            update_before: node.properties.mode != ChangelogMode::Upsert,
            // Else event time, or the functions, say what is kept.
            ttl_ms: match corrected {
                true => self.planning.state_ttl_ms,
                false => 0,
            },
        };
        let parallelism = by_key.parallelism();
        let inputs = vec![self.main(input, by_key.partitioning())?];
        let uid = self.uid(&content, &[input]);
        Ok(self.push(Operator {
            uid,
            lineage,
            name: match over.values.is_empty() {
                true => "TemporalSort".to_string(),
                false => "Over".to_string(),
            },
            spec: OperatorSpec::Over(spec),
            inputs,
            schema: node.properties.schema.clone(),
            parallelism,
        }))
    }
}

/// What the operator does and keeps, for its ids: state is of use only where all of it is the same.
fn content(over: &Over, lineage: &Lineage, schema: &Schema) -> String {
    let value = |value: &OverValue| {
        let column = |at: Option<usize>| at.map(|at| lineage.column(at)).unwrap_or_default();
        format!(
            "{} of {} where {}",
            value.name,
            column(value.argument),
            column(value.filter)
        )
    };
    let values: Vec<String> = over.values.iter().map(value).collect();
    format!(
        "Over {:?} by {} order {} values={} rows={}",
        over.form,
        lineage.names(&over.partition_by).join("\u{1f}"),
        ordered(&over.order_by, lineage),
        values.join("\u{1f}"),
        rows_of(lineage, schema),
    )
}
