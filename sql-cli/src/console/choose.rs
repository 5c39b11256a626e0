//! Which sink shows a result.

use std::io::{self, BufWriter, Stdout};

use arrow::array::timezone::Tz;
use arrow::datatypes::SchemaRef;
use levada_gateway::config::{Configuration, ResultMode};
use levada_gateway::{Error, QueryResult};

use super::{Console, Result};
use crate::args::Output;
use crate::render::RowSink;
use crate::render::gather::Gather;
use crate::render::lines::{Format, Lines};
use crate::render::live::{Keep, Live};
use crate::render::table::{Options, Table};
use crate::terminal;

/// How many rows a shell leaves on the screen at the end of a query.
const SHELL_ROWS: usize = 1000;

type Sink = Box<dyn RowSink>;

impl Console {
    /// The sink for the rows of a query.
    pub(super) fn sink(&self, query: &QueryResult, config: &Configuration) -> Result<Sink> {
        let lines = match self.output {
            Output::Table => return self.table_sink(query, config),
            Output::Changelog => {
                return Ok(Box::new(self.lines(Format::Changelog, &query.schema)?));
            }
            Output::Csv => Format::Csv,
            Output::Json => Format::Json,
        };
        if !query.is_append_only() && !query.bounded {
            let error = Error::unsupported(
                "this query updates its rows and never ends, so it has no final rows to print",
            );
            return Err(error
                .with_hint("use --output changelog or --output table")
                .into());
        }
        let lines = self.lines(lines, &query.schema)?;
        gathered(query, lines)
    }

    fn table_sink(&self, query: &QueryResult, config: &Configuration) -> Result<Sink> {
        let append = query.is_append_only();
        let live = self.terminal.stdout && (self.interactive || !append);
        let table = |kinds| self.table(query.schema.clone(), config, kinds);
        match config.result_mode() {
            ResultMode::Changelog => Ok(Box::new(table(true))),
            ResultMode::Table if live => Ok(Box::new(Live::new(
                stdout(),
                terminal::size,
                query.schema.clone(),
                query.key.clone(),
                self.options(config, false),
                Keep {
                    append_only: append,
                    most_rows: self.interactive.then_some(SHELL_ROWS),
                },
            )?)),
            _ if append || query.bounded => gathered(query, table(false)),
            _ => Ok(Box::new(table(true))),
        }
    }

    /// The sink for rows that are already all there.
    pub(super) fn plain_sink(&self, schema: SchemaRef, config: &Configuration) -> Result<Sink> {
        Ok(match self.output {
            Output::Table => Box::new(self.table(schema, config, false)),
            Output::Csv => Box::new(self.lines(Format::Csv, &schema)?),
            Output::Json => Box::new(self.lines(Format::Json, &schema)?),
            Output::Changelog => Box::new(self.lines(Format::Changelog, &schema)?),
        })
    }

    fn lines(&self, format: Format, schema: &SchemaRef) -> Result<Lines<BufWriter<Stdout>>> {
        Ok(Lines::new(stdout(), format, schema)?)
    }

    fn table(
        &self,
        schema: SchemaRef,
        config: &Configuration,
        kinds: bool,
    ) -> Table<BufWriter<Stdout>> {
        Table::new(stdout(), schema, self.options(config, kinds))
    }

    /// On a terminal tables fit the screen; elsewhere nothing is cut.
    fn options(&self, config: &Configuration, kinds: bool) -> Options {
        let on_screen = self.terminal.stdout;
        Options {
            column_width: on_screen.then(|| config.column_width()),
            total_width: on_screen.then(|| terminal::size().0),
            zone: config.time_zone().parse::<Tz>().ok(),
            kinds,
        }
    }
}

/// Rows that stay as they came are shown at once; others when it is known which remain.
fn gathered(query: &QueryResult, sink: impl RowSink + 'static) -> Result<Sink> {
    Ok(match query.is_append_only() {
        true => Box::new(sink),
        false => Box::new(Gather::new(query.schema.clone(), query.key.clone(), sink)?),
    })
}

fn stdout() -> BufWriter<Stdout> {
    BufWriter::new(io::stdout())
}
