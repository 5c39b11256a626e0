//! Statements without a person: from a file, an argument or standard input.

use levada_gateway::{Job, Outcome, Session};
use levada_planner::parser::{self, ParsedStatement};

use crate::console::{Console, Failure, Result};
use crate::signals::Interrupts;

/// Runs the statements of a script, one after the other, up to the first failure. The whole script
/// is read first, so that a slip at its end does not leave half of it done.
///
/// Jobs over unbounded input are waited for at the end, unless `detach` says that they shall go
/// on without this process.
///
/// # Errors
/// The first failure.
pub async fn run(
    console: &Console,
    session: &mut Session,
    sql: &str,
    detach: bool,
    interrupts: &mut Interrupts,
) -> Result<()> {
    let statements = parser::parse(sql).map_err(levada_gateway::Error::from)?;
    let mut running = Vec::new();
    for (position, statement) in statements.iter().enumerate() {
        let ended = one(console, session, statement, &mut running, interrupts).await;
        match ended {
            // The last statement may be one that only the user can end.
            Err(Failure::Interrupted { unbounded: true }) if position + 1 < statements.len() => {
                return Err(Failure::Interrupted { unbounded: false });
            }
            other => other?,
        }
    }
    if detach {
        return Ok(());
    }
    for (position, job) in running.iter().enumerate() {
        let ended = console.wait(session, job, interrupts).await;
        if ended.is_err() && session.deployment().is_embedded() {
            // The others end with this process, and shall end as cleanly as this one.
            let others = running.get(position + 1..).unwrap_or_default();
            console.stop_all(session, others, interrupts).await;
        }
        ended?;
    }
    Ok(())
}

async fn one(
    console: &Console,
    session: &mut Session,
    statement: &ParsedStatement,
    running: &mut Vec<Job>,
    interrupts: &mut Interrupts,
) -> Result<()> {
    let outcome = tokio::select! {
        outcome = session.execute_statement(statement) => outcome?,
        _ = interrupts.next() => return Err(Failure::Interrupted { unbounded: false }),
    };
    match outcome {
        Outcome::Job(job) if !job.wait => {
            console.say(&format!("job {} runs: {}", job.id, job.name))?;
            console.tell_start(&job)?;
            running.push(job);
            Ok(())
        }
        outcome => console.present(session, outcome, interrupts).await,
    }
}
