//! EXPLAIN: the stages as text.
//!
//! Without details: the logical plan and the streaming plan. CHANGELOG_MODE adds to each node of
//! the streaming plan its mode, keys, time attributes, and what it remembers and until when, ESTIMATED_COST how many rows
//! it may give and what that costs. JOB GRAPH shows vertices and edges, JSON_EXECUTION_PLAN the same for programs.

mod cost;
mod job_graph;
mod logical;
mod pattern;
mod streaming;
#[cfg(test)]
mod tests;

use levada_engine::graph::JobGraph;

use self::cost::Estimates;
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
    let mut sections = Vec::new();
    if details.is_empty() || asked(ExplainDetail::Logical) {
        sections.push(("Logical plan", logical::text(&stages.logical)));
    }
    let changelog = asked(ExplainDetail::ChangelogMode);
    let costs = asked(ExplainDetail::EstimatedCost);
    if details.is_empty() || changelog || costs {
        let states = States::of(&stages.streaming, stages.state_ttl_ms);
        let costs = costs.then(|| Estimates::of(&stages.streaming, &states));
        let plan = streaming::text(&stages.streaming, &states, changelog, costs.as_ref());
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
