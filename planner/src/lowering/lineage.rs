//! What an operator's rows are, whatever filters and projections stand in between.
//!
//! An edited query goes on from the state of the one before. Which state belongs to which operator is
//! decided by ids that survive an edit: a coarse id, which sees neither through which filters and
//! projections rows come nor what is aggregated, and an identity of each aggregate. Both name columns by
//! what they are at their *base*: the source, window, union or aggregation that the rows come from. So
//! `SELECT b AS a` is not taken for `SELECT a`.

use std::sync::Arc;

use arrow::datatypes::Schema;
use datafusion::physical_expr::expressions::Column;
use xxhash_rust::xxh3::xxh3_64;

use crate::streaming::{Calc, Call, ExprRef, Scan, substitute, text};
use levada_language::error::PlanError;

/// Where the rows of an operator come from.
#[derive(Debug, Clone, Default)]
pub(super) struct Lineage {
    /// The coarse id of the operator that stands for them.
    pub(super) coarse: String,
    /// Each column over those of the base.
    columns: Vec<ExprRef>,
}

impl Lineage {
    /// An operator whose columns are its own.
    pub(super) fn base(
        content: &str,
        inputs: &[&Lineage],
        columns: impl IntoIterator<Item = String>,
    ) -> Self {
        let mut all = content.to_string();
        for input in inputs {
            all.push('\u{1f}');
            all.push_str(&input.coarse);
        }
        let column =
            |(index, name): (usize, String)| -> ExprRef { Arc::new(Column::new(&name, index)) };
        Lineage {
            coarse: format!("{:016x}", xxh3_64(all.as_bytes())),
            columns: columns.into_iter().enumerate().map(column).collect(),
        }
    }

    /// An operator that has nothing behind it that would ask.
    pub(super) fn end(content: &str, inputs: &[&Lineage]) -> Self {
        Self::base(content, inputs, [])
    }

    /// What a table is read as. A computed column is what it is computed from.
    pub(super) fn table(content: &str, scan: &Scan, schema: &Schema) -> Self {
        match scan.read.as_ref().and_then(|read| read.compute.as_ref()) {
            Some(compute) => Self::base(content, &[], compute.iter().map(text)),
            None => Self::base(content, &[], field_names(schema)),
        }
    }

    /// Rows behind a calc. Whether they are `updating` decides about its condition: another one would
    /// let rows be taken back that have never come, or keep those that have from being taken back.
    pub(super) fn through(&self, calc: &Calc, updating: bool) -> Result<Self, PlanError> {
        let below = calc.projection.iter().map(|e| substitute(e, &self.columns));
        let columns = below.collect::<Result<_, _>>()?;
        let coarse = match calc.filter.as_ref().filter(|_| updating) {
            None => self.coarse.clone(),
            Some(filter) => {
                let filter = text(&substitute(filter, &self.columns)?);
                Self::end(&format!("where {filter}"), &[self]).coarse
            }
        };
        Ok(Lineage { coarse, columns })
    }

    /// What a column is.
    pub(super) fn column(&self, index: usize) -> String {
        self.columns.get(index).map(text).unwrap_or_default()
    }

    /// All columns.
    pub(super) fn columns(&self) -> Vec<String> {
        self.columns.iter().map(text).collect()
    }

    /// What columns are.
    pub(super) fn names(&self, columns: &[usize]) -> Vec<String> {
        columns.iter().map(|column| self.column(*column)).collect()
    }

    /// What an aggregate computes.
    pub(super) fn identity(&self, call: &Call) -> String {
        let name = format!("{:?}", call.function).to_uppercase();
        let distinct = if call.distinct { "DISTINCT " } else { "" };
        let argument = call.argument.map_or("*".to_string(), |c| self.column(c));
        match call.filter {
            None => format!("{name}({distinct}{argument})"),
            Some(filter) => {
                let filter = self.column(filter);
                format!("{name}({distinct}{argument}) FILTER (WHERE {filter})")
            }
        }
    }
}

/// The names of fields.
pub(super) fn field_names(schema: &Schema) -> Vec<String> {
    schema.fields().iter().map(|f| f.name().clone()).collect()
}
