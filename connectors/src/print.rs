//! `'connector' = 'print'`: writes each row with its kind to standard output or standard error.
//!
//! A line is `+I[1, abc]`. In front of it stand `print-identifier` and, if several subtasks print,
//! the subtask's number from 1: `name:2> +I[1, abc]`.

use std::io::Write;
use std::sync::Arc;

use async_trait::async_trait;
use levada_engine::connector::{
    ConnectorFactory, Sink, SinkContext, SinkFactory, SourceFactory, TableDescriptor,
};
use levada_engine::element::{Batch, ChangelogMode};
use levada_engine::graph::WireBytes;
use levada_engine::{EngineError, Result};

use crate::options::Options;
use crate::{in_table, write_only};

#[cfg(test)]
mod tests;
mod text;

/// The connector.
#[derive(Debug)]
pub struct Print;

impl ConnectorFactory for Print {
    fn identifier(&self) -> &'static str {
        "print"
    }

    fn source(&self, table: &TableDescriptor) -> Result<Arc<dyn SourceFactory>> {
        Err(write_only(table))
    }

    fn sink(&self, table: &TableDescriptor) -> Result<Arc<dyn SinkFactory>> {
        let factory = Factory::parse(Options::new(table.options.clone()));
        Ok(Arc::new(factory.map_err(in_table(table))?))
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Factory {
    identifier: String,
    to_stderr: bool,
}

impl Factory {
    fn parse(mut options: Options) -> Result<Self> {
        let factory = Factory {
            identifier: options.text("print-identifier").unwrap_or_default(),
            to_stderr: options.boolean("standard-error", false)?,
        };
        options.finish()?;
        Ok(factory)
    }

    fn prefix(&self, index: u32, parallelism: u32) -> String {
        let number = match parallelism {
            0 | 1 => String::new(),
            _ => (index + 1).to_string(),
        };
        match (self.identifier.as_str(), number.as_str()) {
            ("", "") => String::new(),
            ("", number) => format!("{number}> "),
            (identifier, "") => format!("{identifier}> "),
            (identifier, number) => format!("{identifier}:{number}> "),
        }
    }
}

impl SinkFactory for Factory {
    fn accept(&self, mode: ChangelogMode) -> Result<ChangelogMode> {
        Ok(mode)
    }

    fn create(&self, context: SinkContext) -> Result<Box<dyn Sink>> {
        let out: Box<dyn Write + Send> = match self.to_stderr {
            true => Box::new(std::io::stderr()),
            false => Box::new(std::io::stdout()),
        };
        Ok(Box::new(Printer {
            prefix: self.prefix(context.index, context.parallelism),
            lines: Vec::new(),
            out,
        }))
    }
}

struct Printer {
    prefix: String,
    lines: Vec<u8>,
    out: Box<dyn Write + Send>,
}

#[async_trait]
impl Sink for Printer {
    async fn open(&mut self) -> Result<()> {
        Ok(())
    }

    async fn write(&mut self, batch: &Batch) -> Result<()> {
        self.lines.clear();
        text::write_rows(&mut self.lines, &self.prefix, batch)?;
        // One call per batch: the lines of several subtasks do not mix.
        self.out
            .write_all(&self.lines)
            .and_then(|()| self.out.flush())
            .map_err(|e| EngineError::connector(format!("the rows cannot be printed: {e}")))
    }

    async fn prepare(&mut self, _checkpoint_id: u64) -> Result<Vec<WireBytes>> {
        Ok(Vec::new())
    }
}
