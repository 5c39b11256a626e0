//! `levada state`: what is in checkpoints and savepoints.

use futures::StreamExt;
use levada_gateway::inspect::{View, inspect, open};
use levada_gateway::{Outcome, QueryResult};

use crate::Exit;
use crate::args::{Output, StateArguments, StateCommand, StateView};
use crate::job;
use crate::render::End;

/// Runs `levada state`.
///
/// # Errors
/// There is no such checkpoint, something of it is missing or damaged, or a query is wrong.
pub async fn run(arguments: &StateArguments) -> Result<(), Exit> {
    match &arguments.command {
        StateCommand::Inspect {
            path,
            sql: Some(sql),
            output,
            ..
        } => query(path, sql, *output).await,
        StateCommand::Inspect {
            path, show, output, ..
        } => {
            let inspection = inspect(path).await?;
            let view = match show {
                StateView::Operators => View::Operators,
                StateView::Aggregates => View::Aggregates,
                StateView::Files => View::Files,
                StateView::Positions => View::Positions,
            };
            eprintln!("{}", inspection.summary());
            job::show(inspection.table(view)?, *output)
        }
    }
}

async fn query(path: &str, sql: &str, output: Output) -> Result<(), Exit> {
    let inspection = open(path).await?;
    let outcome = inspection.sql(sql).await;
    match outcome.map_err(|error| Exit::Failed(error.render(sql)))? {
        Outcome::Query(rows) => print(rows, output, sql).await,
        table => job::show(table, output),
    }
}

/// Prints rows as they come.
async fn print(mut query: QueryResult, output: Output, sql: &str) -> Result<(), Exit> {
    let mut sink = job::sink(&query.schema, output)?;
    while let Some(rows) = query.rows.next().await {
        match rows {
            Ok(rows) => sink.batch(&rows)?,
            Err(error) => {
                // What has come is shown; if nobody reads it, that is not the news.
                let _ = sink.finish(End::Failed);
                return Err(Exit::Failed(error.render(sql)));
            }
        }
    }
    Ok(sink.finish(End::Complete)?)
}
