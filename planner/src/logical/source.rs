//! Tables and views as DataFusion sees them while it plans.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::logical_expr::{LogicalPlan, TableSource, TableType};

use super::temporal_join::{DELETED, ORDER};
use crate::catalog::Table;
use crate::streaming::upsert_schema;

/// A table of the catalog with all of its columns, computed ones included.
#[derive(Debug, Clone)]
pub struct CatalogTable {
    /// The table, with the options of a hint applied.
    pub table: Arc<Table>,
    /// What is read of it.
    pub read_as: ReadAs,
    schema: SchemaRef,
}

/// What is read of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadAs {
    /// Its rows.
    Rows,
    /// All changes of its rows as they come; of a delete only the key, and what the connector knows, has a value.
    Changes,
    /// The same in batch mode, each with whether it is a delete, and a number.
    NumberedChanges,
    /// The last row of each key, in batch mode.
    LastRows,
}

impl CatalogTable {
    /// The source of a table.
    pub fn new(table: Arc<Table>) -> Self {
        let schema = table.schema();
        CatalogTable {
            table,
            read_as: ReadAs::Rows,
            schema,
        }
    }

    /// The same for another way of reading.
    pub(crate) fn read_as(table: Arc<Table>, read_as: ReadAs) -> Self {
        let schema = match read_as {
            ReadAs::Rows | ReadAs::LastRows => table.schema(),
            ReadAs::Changes => upsert_schema(&table.schema(), &table),
            ReadAs::NumberedChanges => {
                let changes = upsert_schema(&table.schema(), &table);
                let own = changes.fields().iter().cloned();
                let deleted = Field::new(DELETED, DataType::Boolean, false);
                let order = Field::new(ORDER, DataType::Int64, false);
                let all = own.chain([Arc::new(deleted), Arc::new(order)]);
                Arc::new(Schema::new(all.collect::<Vec<_>>()))
            }
        };
        CatalogTable {
            table,
            read_as,
            schema,
        }
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
