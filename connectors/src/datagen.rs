//! `'connector' = 'datagen'`: rows of random or counted values.
//!
//! A value is decided by `seed`, the column's name and the row's number, so every run makes the same
//! rows, in whatever order and whichever of the columns it makes. Only random times are relative to
//! the clock: they lie up to `max-past` before it.

mod config;
mod value;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow::array::RecordBatch;
use levada_engine::connector::{
    Boundedness, ConnectorFactory, SinkFactory, Source, SourceContext, SourceFactory,
    TableDescriptor,
};
use levada_engine::time::Clock;
use levada_engine::{EngineError, Result};

use crate::format::column::Record;
use crate::generate::{Generated, Generator, Numbers};
use crate::options::Options;
use config::Config;
use value::Maker;

/// The connector.
#[derive(Debug)]
pub struct Datagen;

impl ConnectorFactory for Datagen {
    fn identifier(&self) -> &'static str {
        "datagen"
    }

    fn source(&self, table: &TableDescriptor) -> Result<Arc<dyn SourceFactory>> {
        let place = format!("table '{}'", table.name);
        let mut options = Options::new(table.options.clone());
        let config = Config::from_options(&table.schema.0, &mut options);
        let config = config.map_err(|error| error.at(&place))?;
        options.finish().map_err(|error| error.at(&place))?;
        Ok(Arc::new(Table {
            config: Arc::new(config),
        }))
    }

    fn sink(&self, table: &TableDescriptor) -> Result<Arc<dyn SinkFactory>> {
        Err(EngineError::config(format!(
            "table '{}': the connector 'datagen' only makes rows and cannot be written",
            table.name
        )))
    }
}

/// A table of generated rows.
struct Table {
    config: Arc<Config>,
}

impl SourceFactory for Table {
    fn boundedness(&self) -> Boundedness {
        match self.config.rows {
            Some(_) => Boundedness::Bounded,
            None => Boundedness::Unbounded,
        }
    }

    fn rows(&self) -> Option<u64> {
        self.config.rows
    }

    fn create(&self, context: SourceContext) -> Result<Box<dyn Source>> {
        let makers = context
            .schema
            .fields()
            .iter()
            .map(|field| self.config.maker(field));
        let generator = Rows {
            makers: makers.collect::<Result<_>>()?,
            record: Record::new(context.schema.fields())?,
            schema: Arc::clone(&context.schema),
            config: Arc::clone(&self.config),
            clock: Arc::clone(&context.clock),
        };
        Ok(Box::new(Generated::new(generator, context)))
    }
}

/// Makes rows of one subtask.
struct Rows {
    config: Arc<Config>,
    schema: arrow::datatypes::SchemaRef,
    makers: Vec<Maker>,
    record: Record,
    clock: Arc<dyn Clock>,
}

impl Generator for Rows {
    fn rows(&self) -> Option<u64> {
        self.config.rows
    }

    fn due_ms(&self, number: u64) -> Option<i64> {
        let elapsed = u128::from(number) * 1_000 / u128::from(self.config.rows_per_second?.get());
        Some(i64::try_from(elapsed).unwrap_or(i64::MAX))
    }

    fn batch(&mut self, numbers: Numbers) -> Result<RecordBatch> {
        let now_ms = self.clock.now_ms();
        for number in numbers.iter() {
            for (maker, child) in self.makers.iter().zip(&mut self.record.children) {
                maker
                    .push(number, now_ms, &mut child.column)
                    .map_err(|error| error.at(&format!("column '{}'", child.field.name())))?;
            }
            self.record.rows += 1;
        }
        self.record.finish_batch(&self.schema)
    }
}
