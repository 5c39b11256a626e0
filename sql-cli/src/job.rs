//! `levada job`: asks a coordinator about its jobs.

use std::io;
use std::sync::Arc;

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
    let schema = rows.schema();
    let shown = match output {
        Output::Table => {
            let options = Options {
                column_width: None,
                total_width: None,
                zone: None,
                kinds: false,
            };
            print(Table::new(io::stdout(), schema, options), rows)
        }
        Output::Csv => print(Lines::new(io::stdout(), Format::Csv, &schema)?, rows),
        Output::Json => print(Lines::new(io::stdout(), Format::Json, &schema)?, rows),
        Output::Changelog => print(Lines::new(io::stdout(), Format::Changelog, &schema)?, rows),
    };
    Ok(shown?)
}

fn print(mut sink: impl RowSink, rows: arrow::array::RecordBatch) -> Result<(), RenderError> {
    sink.batch(&Batch::inserts(rows))?;
    sink.finish(End::Complete)
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
