//! `'connector' = 'print'`: writes each row with its kind to standard output or standard error.
//!
//! A line is `+I[1, abc]`. In front of it stand `print-identifier` and, if several subtasks print,
//! the subtask's number from 1: `name:2> +I[1, abc]`.

use std::io::Write;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use levada_engine::connector::{
    ConnectorFactory, Sink, SinkContext, SinkFactory, SourceFactory, TableDescriptor,
};
use levada_engine::element::{Batch, ChangelogMode};
use levada_engine::graph::WireBytes;
use levada_engine::{EngineError, Result};
use tokio::sync::{mpsc, oneshot};

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
            out: Some(out),
            writer: None,
        }))
    }
}

/// Lines for the writing thread, and whom to tell when all lines before are written.
enum Order {
    Lines(Vec<u8>),
    Confirm(oneshot::Sender<()>),
}

/// The other end of a pipe may not read for as long as it likes, so the lines are written by a thread
/// that a stopping job need not wait for.
struct Printer {
    prefix: String,
    out: Option<Box<dyn Write + Send>>,
    writer: Option<Writer>,
}

struct Writer {
    orders: mpsc::Sender<Order>,
    failure: Arc<OnceLock<String>>,
}

impl Writer {
    fn start(mut out: Box<dyn Write + Send>) -> std::io::Result<Self> {
        // One batch is written while the next one is made.
        let (orders, mut inbox) = mpsc::channel(1);
        let failure = Arc::new(OnceLock::new());
        let failed = Arc::clone(&failure);
        let write = move || {
            while let Some(order) = inbox.blocking_recv() {
                let written = match order {
                    // One call per batch: the lines of several subtasks do not mix.
                    Order::Lines(lines) => out.write_all(&lines).and_then(|()| out.flush()),
                    Order::Confirm(done) => {
                        let _ = done.send(());
                        Ok(())
                    }
                };
                if let Err(error) = written {
                    let _ = failed.set(error.to_string());
                    return;
                }
            }
        };
        std::thread::Builder::new()
            .name("print".to_string())
            .spawn(write)?;
        Ok(Writer { orders, failure })
    }

    fn failed(&self) -> EngineError {
        let why = self
            .failure
            .get()
            .map_or("the thread that writes has ended", String::as_str);
        EngineError::connector(format!("the rows cannot be printed: {why}"))
    }
}

impl Printer {
    fn writer(&self) -> Result<&Writer> {
        self.writer
            .as_ref()
            .ok_or_else(|| EngineError::internal("the print sink is not open"))
    }
}

#[async_trait]
impl Sink for Printer {
    async fn open(&mut self) -> Result<()> {
        if let Some(out) = self.out.take() {
            let writer = Writer::start(out).map_err(|e| {
                EngineError::connector(format!("the thread that prints cannot start: {e}"))
            })?;
            self.writer = Some(writer);
        }
        Ok(())
    }

    async fn write(&mut self, batch: &Batch) -> Result<()> {
        let mut lines = Vec::new();
        text::write_rows(&mut lines, &self.prefix, batch)?;
        let writer = self.writer()?;
        let sent = writer.orders.send(Order::Lines(lines)).await;
        sent.map_err(|_| writer.failed())
    }

    fn takes_rows_twice(&self) -> bool {
        true
    }

    async fn prepare(&mut self, _checkpoint_id: u64) -> Result<Vec<WireBytes>> {
        let writer = self.writer()?;
        let (done, written) = oneshot::channel();
        let sent = writer.orders.send(Order::Confirm(done)).await;
        sent.map_err(|_| writer.failed())?;
        written.await.map_err(|_| writer.failed())?;
        Ok(Vec::new())
    }
}
