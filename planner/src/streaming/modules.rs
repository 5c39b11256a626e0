//! Which modules the expressions of a plan need.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::physical_expr::ScalarFunctionExpr;
use levada_wasm::{Module, ScalarFunction};

use super::{ExprRef, NodeKind, Plan};
use levada_language::error::PlanError;

/// The modules of all functions that the plan's expressions call, each once.
pub fn modules(plan: &Plan) -> Result<Vec<Arc<Module>>, PlanError> {
    let mut found = BTreeMap::new();
    for (_, node) in plan.iter() {
        for expression in expressions(&node.kind) {
            expression.apply(|part| {
                let call = part.downcast_ref::<ScalarFunctionExpr>();
                if let Some(function) = call.and_then(|call| ScalarFunction::of(call.fun())) {
                    let module = function.module();
                    found.insert(module.hash().to_string(), Arc::clone(module));
                }
                Ok(TreeNodeRecursion::Continue)
            })?;
        }
    }
    Ok(found.into_values().collect())
}

/// What a node evaluates. All that lowering encodes must be among it.
fn expressions(kind: &NodeKind) -> Vec<&ExprRef> {
    match kind {
        NodeKind::Scan(scan) => {
            let read = scan.read.iter();
            read.flat_map(|read| {
                let watermark = read.watermark.iter().map(|(_, expression)| expression);
                read.compute.iter().flatten().chain(watermark)
            })
            .collect()
        }
        NodeKind::Calc(calc) => calc.filter.iter().chain(&calc.projection).collect(),
        NodeKind::Join(join) => join.condition.iter().collect(),
        NodeKind::TemporalJoin(join) => join.condition.iter().collect(),
        NodeKind::Pattern(pattern) => {
            let conditions = pattern.variables.iter();
            let conditions = conditions.filter_map(|variable| variable.condition.as_ref());
            conditions.map(|condition| &condition.expr).collect()
        }
        NodeKind::Values(_)
        | NodeKind::ChangelogNormalize(_)
        | NodeKind::Union
        | NodeKind::MultiJoin(_)
        | NodeKind::AssignWindow(_)
        | NodeKind::CountWindow(_)
        | NodeKind::Unnest(_)
        | NodeKind::WindowAggregate(_)
        | NodeKind::GroupAggregate(_)
        | NodeKind::Rank(_)
        | NodeKind::Over(_)
        | NodeKind::UpsertMaterialize(_)
        | NodeKind::ToChangelog(_)
        | NodeKind::FromChangelog(_)
        | NodeKind::Sink(_)
        | NodeKind::Collect => Vec::new(),
    }
}
