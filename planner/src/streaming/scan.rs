//! Scan: reads a table, computed columns and watermark included.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use levada_engine::connector::{Boundedness, ConnectorRegistry, SourceFactory};
use levada_engine::element::ChangelogMode;

use super::expression::ExprRef;
use super::{Attribute, Properties, upsert_schema};
use crate::catalog::{ColumnKind, Table};
use crate::logical::Resolver;
use levada_language::error::PlanError;

/// Reads a table.
#[derive(Debug, Clone)]
pub struct Scan {
    /// The table.
    pub table: Arc<Table>,
    /// Whether the connector says that the rows end.
    pub bounded: bool,
    /// How many rows it has, if the connector knows.
    pub rows: Option<u64>,
    /// The kinds of rows that the connector delivers.
    pub mode: ChangelogMode,
    /// Whether upserts are read as they come, with no one to keep the last row of each key.
    pub changes: bool,
    /// What is really read; all columns before pruning.
    pub read: Option<Read>,
}

/// What a scan reads after pruning.
#[derive(Debug, Clone)]
pub struct Read {
    /// What the connector reads.
    pub schema: SchemaRef,
    /// The output columns, over `schema`; `None` passes its columns through.
    pub compute: Option<Vec<ExprRef>>,
    /// The event-time column of the output and the watermark expression over the output.
    pub watermark: Option<(usize, ExprRef)>,
}

impl Scan {
    /// The scan of a table; asks its connector. `changes` says that its upserts are read as they come.
    ///
    /// # Errors
    /// The connector cannot read it.
    pub(super) fn new(
        table: Arc<Table>,
        changes: bool,
        connectors: &ConnectorRegistry,
    ) -> Result<Self, PlanError> {
        let factory = source_factory(&table, connectors)?;
        Ok(Scan {
            bounded: factory.boundedness() == Boundedness::Bounded,
            rows: factory.rows(),
            mode: factory.mode(),
            changes: changes && factory.mode() == ChangelogMode::Upsert,
            table,
            read: None,
        })
    }

    /// What is known about the rows when all columns are read.
    pub(super) fn properties(&self, resolver: &Resolver) -> Result<Properties, PlanError> {
        let _ = resolver;
        let schema = match self.changes {
            true => upsert_schema(&self.table.schema(), &self.table),
            false => self.table.schema(),
        };
        let mut properties = Properties::appending(schema, self.bounded);
        properties.attributes = self.attributes();
        if !self.table.primary_key.is_empty() {
            properties.keys = vec![self.table.primary_key.clone()];
        }
        properties.updating = self.mode != ChangelogMode::Append;
        properties.mode = self.mode;
        Ok(properties)
    }

    /// What each column of the table says about time.
    pub(super) fn attributes(&self) -> Vec<Attribute> {
        let rowtime = self
            .table
            .watermark
            .as_ref()
            .map(|watermark| watermark.column);
        let attribute = |(index, column): (usize, &crate::catalog::Column)| {
            if rowtime == Some(index) {
                return Attribute::EventTime;
            }
            match &column.kind {
                ColumnKind::Computed(computed) if is_proctime(&computed.expr) => {
                    Attribute::ProcessingTime
                }
                _ => Attribute::None,
            }
        };
        self.table
            .columns
            .iter()
            .enumerate()
            .map(attribute)
            .collect()
    }
}

fn is_proctime(expr: &datafusion::logical_expr::Expr) -> bool {
    use datafusion::logical_expr::Expr;
    match expr {
        Expr::ScalarFunction(function) => function.name().eq_ignore_ascii_case("proctime"),
        Expr::Alias(alias) => is_proctime(&alias.expr),
        _ => false,
    }
}

/// The source of a table, by its connector.
///
/// # Errors
/// The connector cannot read it, or refuses its options.
pub(crate) fn source_factory(
    table: &Table,
    connectors: &ConnectorRegistry,
) -> Result<Arc<dyn SourceFactory>, PlanError> {
    let descriptor = table.source_descriptor();
    let refused = |error| crate::catalog::option_error(error, &[], connectors, None);
    let factory = connectors.of_table(&descriptor).map_err(refused)?;
    factory.source(&descriptor).map_err(refused)
}

// Within one statement a table has one definition, apart from the options of hints.
impl PartialEq for Scan {
    fn eq(&self, other: &Self) -> bool {
        let what = |scan: &Self| (scan.table.name.clone(), scan.changes);
        what(self) == what(other) && self.table.options == other.table.options
    }
}

impl Eq for Scan {}

impl Hash for Scan {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.table.name.hash(state);
        self.table.options.hash(state);
    }
}
