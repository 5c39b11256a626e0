//! `'connector' = 'nexmark'`: the events of the Nexmark benchmark, an online auction.
//!
//! The table has the columns of the public Nexmark connector, or some of them: `event_type INT`
//! (0 person, 1 auction, 2 bid) and the rows `person`, `auction` and `bid`, of which one is not NULL.
//! The number of an event decides what is in it, so every run makes the same events.
//!
//! Event time starts at `base-time` and goes by `next-event.rate` events per second. With
//! `rate.limited`, processing time goes along with it; else events come as fast as they are taken.

mod config;
mod rows;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow::array::RecordBatch;
use levada_engine::connector::{
    Boundedness, ConnectorFactory, SinkFactory, Source, SourceContext, SourceFactory,
    TableDescriptor,
};
use levada_engine::{EngineError, Result};
use nexmark::EventGenerator;

use crate::generate::{Generated, Generator, Numbers};
use crate::options::Options;
use config::Config;
use rows::Rows;

/// The connector.
#[derive(Debug)]
pub struct Nexmark;

impl ConnectorFactory for Nexmark {
    fn identifier(&self) -> &'static str {
        "nexmark"
    }

    fn source(&self, table: &TableDescriptor) -> Result<Arc<dyn SourceFactory>> {
        let place = format!("table '{}'", table.name);
        let mut options = Options::new(table.options.clone());
        let config = Config::from_options(&mut options).map_err(|error| error.at(&place))?;
        options.finish().map_err(|error| error.at(&place))?;
        Rows::new(&table.schema.0).map_err(|error| error.at(&place))?;
        Ok(Arc::new(Events { config }))
    }

    fn sink(&self, table: &TableDescriptor) -> Result<Arc<dyn SinkFactory>> {
        Err(EngineError::config(format!(
            "table '{}': the connector 'nexmark' only makes rows and cannot be written",
            table.name
        )))
    }
}

/// A table of events.
struct Events {
    config: Config,
}

impl SourceFactory for Events {
    fn boundedness(&self) -> Boundedness {
        match self.config.events {
            Some(_) => Boundedness::Bounded,
            None => Boundedness::Unbounded,
        }
    }

    fn rows(&self) -> Option<u64> {
        self.config.events
    }

    fn create(&self, context: SourceContext) -> Result<Box<dyn Source>> {
        let generator = EventRows {
            config: self.config.clone(),
            rows: Rows::new(&context.schema)?,
        };
        Ok(Box::new(Generated::new(generator, context)))
    }
}

/// Makes rows of events.
struct EventRows {
    config: Config,
    rows: Rows,
}

impl Generator for EventRows {
    fn rows(&self) -> Option<u64> {
        self.config.events
    }

    fn due_ms(&self, number: u64) -> Option<i64> {
        self.config
            .rate_limited
            .then(|| self.config.elapsed_ms(number))
    }

    fn batch(&mut self, numbers: Numbers) -> Result<RecordBatch> {
        let generator = EventGenerator::new(self.config.generator.clone());
        let mut generator = generator
            .with_offset(numbers.first)
            .with_step(numbers.stride);
        for number in numbers.iter() {
            let kind = self.config.kind(number);
            if !self.rows.wants(kind) {
                self.rows.push_other(kind);
                continue;
            }
            if generator.offset() != number {
                generator = generator.with_offset(number);
            }
            match generator.next() {
                Some(event) => self.rows.push(&event)?,
                None => return Err(EngineError::internal("the Nexmark generator has ended")),
            }
        }
        self.rows.finish()
    }
}
