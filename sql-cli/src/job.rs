//! `levada job`: asks a coordinator about its jobs.

use std::io::{self, BufWriter};
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use levada_engine::client::{JobClient, JobState, StopMode};
use levada_engine::element::Batch;
use levada_engine::graph::JobId;
use levada_gateway::deployment::{Deployment, Remote};
use levada_gateway::{Outcome, jobs_table};

use crate::Exit;
use crate::args::{JobArguments, JobCommand, Output};
use crate::render::lines::{Format, Lines};
use crate::render::table::{Options, Table};
use crate::render::{End, RenderError, RowSink};

/// Runs `levada job`.
///
/// # Errors
/// The coordinator cannot be reached, or a job does not exist or failed.
pub async fn run(arguments: &JobArguments) -> Result<(), Exit> {
    let client = Remote::new(&arguments.connect).connect().await?;
    match &arguments.command {
        JobCommand::List { output } => list(&client, *output).await,
        JobCommand::Stop {
            ids,
            cancel,
            savepoint: wanted,
            drain,
            dir,
        } => {
            let mode = match (cancel, drain) {
                (true, _) => StopMode::Cancel,
                (false, true) => StopMode::Drain,
                (false, false) => StopMode::Checkpoint,
            };
            for id in ids {
                stop(&client, &JobId(id.clone()), mode).await?;
                if *wanted {
                    savepoint(&client, id, dir.as_ref()).await?;
                }
            }
            Ok(())
        }
        JobCommand::Savepoint { id, dir } => savepoint(&client, id, dir.as_ref()).await,
    }
}

async fn list(client: &Arc<dyn JobClient>, output: Output) -> Result<(), Exit> {
    show(jobs_table(&client.list().await?)?, output)
}

/// Prints a table.
pub fn show(outcome: Outcome, output: Output) -> Result<(), Exit> {
    let Outcome::Table(rows) = outcome else {
        return Ok(());
    };
    let mut sink = sink(&rows.schema(), output)?;
    sink.batch(&Batch::inserts(rows))?;
    Ok(sink.finish(End::Complete)?)
}

/// What prints rows that stay as they come.
pub fn sink(schema: &SchemaRef, output: Output) -> Result<Box<dyn RowSink>, RenderError> {
    let out = || BufWriter::new(io::stdout());
    let format = match output {
        Output::Table => {
            let options = Options {
                column_width: None,
                total_width: None,
                zone: None,
                kinds: false,
            };
            return Ok(Box::new(Table::new(out(), schema.clone(), options)));
        }
        Output::Csv => Format::Csv,
        Output::Json => Format::Json,
        Output::Changelog => Format::Changelog,
    };
    Ok(Box::new(Lines::new(out(), format, schema)?))
}

async fn savepoint(
    client: &Arc<dyn JobClient>,
    id: &str,
    dir: Option<&String>,
) -> Result<(), Exit> {
    let path = client.savepoint(&JobId(id.into()), dir.cloned()).await?;
    println!("savepoint: {path}");
    Ok(())
}

async fn stop(client: &Arc<dyn JobClient>, id: &JobId, mode: StopMode) -> Result<(), Exit> {
    client.stop(id, mode).await?;
    let status = client.wait(id).await?;
    match (status.state, status.error) {
        (JobState::Failed, Some(error)) => Err(error.into()),
        (state, _) => {
            println!("job {id}: {}", state.name().to_ascii_lowercase());
            Ok(())
        }
    }
}

impl From<RenderError> for Exit {
    fn from(error: RenderError) -> Self {
        match error {
            RenderError::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Silent,
            RenderError::Output(error) => error.into(),
            RenderError::Rows(error) => error.into(),
        }
    }
}
