//! Tables and views as DataFusion sees them while it plans.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::logical_expr::{LogicalPlan, TableSource, TableType};

use crate::catalog::Table;

/// A table of the catalog with all of its columns, computed ones included.
#[derive(Debug, Clone)]
pub struct CatalogTable {
    /// The table, with the options of a hint applied.
    pub table: Arc<Table>,
    schema: SchemaRef,
}

impl CatalogTable {
    /// The source of a table.
    pub fn new(table: Arc<Table>) -> Self {
        let schema = table.schema();
        CatalogTable { table, schema }
    }

    /// The catalog table behind a source, if it is one.
    pub fn of(source: &Arc<dyn TableSource>) -> Option<&CatalogTable> {
        let any: &dyn std::any::Any = source.as_ref();
        any.downcast_ref::<CatalogTable>()
    }
}

impl TableSource for CatalogTable {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }
}

/// A view: DataFusion puts its plan in place of the scan.
#[derive(Debug)]
pub struct ViewTable {
    plan: LogicalPlan,
    schema: SchemaRef,
}

impl ViewTable {
    /// The source of a view with this plan.
    pub fn new(plan: LogicalPlan) -> Self {
        let schema = Arc::clone(plan.schema().inner());
        ViewTable { plan, schema }
    }
}

impl TableSource for ViewTable {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    fn get_logical_plan(&'_ self) -> Option<Cow<'_, LogicalPlan>> {
        Some(Cow::Borrowed(&self.plan))
    }
}
