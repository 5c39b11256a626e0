//! EXPLAIN: the stages as text.
//!
//! Without details: the logical plan and the streaming plan. CHANGELOG_MODE adds to each node of
//! the streaming plan its mode, keys, time attributes, and what it remembers and until when. JOB GRAPH shows vertices and
//! edges, JSON_EXECUTION_PLAN the same for programs.

mod job_graph;
mod logical;
mod pattern;
mod streaming;
#[cfg(test)]
mod tests;

use levada_engine::graph::JobGraph;

use crate::parser::ExplainDetail;
use crate::planner::Stages;
use crate::streaming::States;
use levada_language::error::PlanError;

/// Prints the stages that the details ask for. `graph` is only made if it is shown.
pub(crate) fn render(
    details: &[ExplainDetail],
    stages: &Stages,
    graph: impl FnOnce() -> Result<JobGraph, PlanError>,
) -> Result<String, PlanError> {
    let asked = |detail| details.contains(&detail);
    if asked(ExplainDetail::EstimatedCost) {
        return Err(PlanError::unsupported("EXPLAIN ESTIMATED_COST", None)
            .hint("EXPLAIN, EXPLAIN CHANGELOG_MODE and EXPLAIN JOB GRAPH are there"));
    }
    let mut sections = Vec::new();
    if details.is_empty() || asked(ExplainDetail::Logical) {
        sections.push(("Logical plan", logical::text(&stages.logical)));
    }
    let changelog = asked(ExplainDetail::ChangelogMode);
    if details.is_empty() || changelog {
        let states = States::of(&stages.streaming, stages.state_ttl_ms);
        let plan = streaming::text(&stages.streaming, &states, changelog);
        sections.push(("Streaming plan", plan));
        if let Some(growing) = states.warning() {
            sections.push(("Warning", growing.to_string()));
        }
    }
    if asked(ExplainDetail::JsonExecutionPlan) {
        // Programs read this, so it stands alone.
        return Ok(job_graph::json(&graph()?));
    }
    if asked(ExplainDetail::JobGraph) {
        sections.push(("Job graph", job_graph::text(&graph()?)));
    }
    let blocks: Vec<String> = sections
        .into_iter()
        .map(|(title, body)| format!("== {title} ==\n{}", body.trim_end()))
        .collect();
    Ok(blocks.join("\n\n"))
}
