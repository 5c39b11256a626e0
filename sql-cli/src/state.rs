//! `levada state`: what is in checkpoints and savepoints.

use levada_gateway::inspect::{View, inspect};

use crate::Exit;
use crate::args::{StateArguments, StateCommand, StateView};
use crate::job;

/// Runs `levada state`.
///
/// # Errors
/// There is no such checkpoint, or something of it is missing or damaged.
pub async fn run(arguments: &StateArguments) -> Result<(), Exit> {
    match &arguments.command {
        StateCommand::Inspect { path, show, output } => {
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
