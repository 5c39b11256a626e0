//! The logical plan as an indented tree.

use datafusion::logical_expr::LogicalPlan;

/// One tree for each query.
pub(super) fn text(plans: &[LogicalPlan]) -> String {
    let trees: Vec<String> = plans
        .iter()
        .map(|plan| plan.display_indent().to_string())
        .collect();
    trees.join("\n")
}
