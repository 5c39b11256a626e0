//! Sink: writes a table.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::RecordBatch;
use levada_engine::connector::{ConnectorRegistry, SinkFactory};

use crate::catalog::Table;
use levada_language::error::{Location, PlanError};

/// Writes a table.
#[derive(Debug, Clone)]
pub struct Sink {
    /// The table.
    pub table: Arc<Table>,
    /// Where INSERT stands in the SQL.
    pub location: Option<Location>,
}

impl PartialEq for Sink {
    fn eq(&self, other: &Self) -> bool {
        self.table.name == other.table.name && self.table.options == other.table.options
    }
}

impl Eq for Sink {}

impl Hash for Sink {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.table.name.hash(state);
    }
}

impl Sink {
    /// The connector's sink for the table.
    ///
    /// # Errors
    /// The connector cannot write it, or refuses its options.
    pub(crate) fn factory(
        &self,
        connectors: &ConnectorRegistry,
    ) -> Result<Arc<dyn SinkFactory>, PlanError> {
        let descriptor = self.table.sink_descriptor();
        let refused = |error| crate::catalog::option_error(error, &[], connectors, self.location);
        let factory = connectors.of_table(&descriptor).map_err(refused)?;
        factory.sink(&descriptor).map_err(refused)
    }

    /// The same, of rows that take the place of what is there; `constants` is the row of PARTITION's values.
    ///
    /// # Errors
    /// The connector cannot do that.
    pub(crate) fn overwriting(
        &self,
        constants: &RecordBatch,
        connectors: &ConnectorRegistry,
    ) -> Result<Arc<dyn SinkFactory>, PlanError> {
        let what = || {
            let connector = self.table.option("connector").unwrap_or("none");
            let what = format!("INSERT OVERWRITE into a table of the connector '{connector}'");
            PlanError::unsupported(what, self.location).hint(
                "files can be replaced ('connector' = 'filesystem'); to add rows, use INSERT INTO",
            )
        };
        let factory = self.factory(connectors)?.overwriting(constants);
        let refused = |error| crate::catalog::option_error(error, &[], connectors, self.location);
        factory.map_err(refused)?.ok_or_else(what)
    }
}
