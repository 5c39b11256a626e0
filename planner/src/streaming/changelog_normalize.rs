//! ChangelogNormalize: the rows of a table of upserts as a changelog.
//!
//! A table that delivers upserts says of each key which row it has now, not which it had. Every scan of
//! such a table is read through this node, which keeps the last row of each key. Filters stand behind it:
//! a row that a filter dropped in front of it would leave the row before it in place.

use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use levada_engine::element::ChangelogMode;

use super::{NodeKind, Plan, Properties, Scan};
use crate::catalog::Table;
use levada_language::error::{PlanError, PlanErrorKind};

/// Keeps the last row of each key. The output has the columns of the input.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ChangelogNormalize {
    /// The columns of the PRIMARY KEY.
    pub keys: Vec<usize>,
    /// Whether somebody downstream needs update-before rows; set by the changelog stage.
    pub emit_update_before: bool,
}

impl ChangelogNormalize {
    /// Behind a scan, if that delivers upserts.
    ///
    /// # Errors
    /// The table does not go with upserts.
    pub(super) fn behind(scan: &Scan) -> Result<Option<Self>, PlanError> {
        if scan.mode != ChangelogMode::Upsert {
            return Ok(None);
        }
        let table = &scan.table;
        if table.primary_key.is_empty() {
            return Err(PlanError::unsupported(
                format!(
                    "reading the upserts of table {}, which has no PRIMARY KEY,",
                    table.name
                ),
                None,
            ));
        }
        if table.option("late-rows.table").is_some() {
            return Err(PlanError::new(
                PlanErrorKind::InvalidOption,
                format!(
                    "'late-rows.table' cannot be an option of table {}, whose rows replace each other by key",
                    table.name
                ),
            )
            .hint("without its late rows a key would keep a row that is no longer its"));
        }
        Ok(Some(ChangelogNormalize {
            keys: table.primary_key.clone(),
            emit_update_before: false,
        }))
    }

    /// What is known about the rows.
    pub(super) fn properties(&self, scan: &Properties) -> Properties {
        Properties {
            updating: true,
            keys: vec![self.keys.clone()],
            mode: ChangelogMode::Retract,
            ..scan.clone()
        }
    }
}

/// The node behind a scan that normalizes its rows, if there is one.
pub(super) fn of_scan(plan: &Plan, scan: super::NodeId) -> Option<super::NodeId> {
    let normalizes = |node: &super::Node| {
        matches!(node.kind, NodeKind::ChangelogNormalize(_)) && node.inputs.contains(&scan)
    };
    plan.iter()
        .find(|(_, node)| normalizes(node))
        .map(|(id, _)| id)
}

/// The columns of upserts as they come: in a delete all but the key may be NULL.
pub(crate) fn upsert_schema(schema: &SchemaRef, table: &Table) -> SchemaRef {
    let keys = table.names_of(&table.primary_key);
    let fields = schema.fields().iter().map(|field| {
        let in_key = keys.contains(field.name());
        let nullable = field.is_nullable() || !in_key;
        field.as_ref().clone().with_nullable(nullable)
    });
    Arc::new(Schema::new(fields.collect::<Vec<Field>>()))
}
