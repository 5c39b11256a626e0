//! Whether the changes of a row come one behind the other.
//!
//! A sink that writes by key takes the last change of a key for the truth. An aggregation gives all
//! changes of its key from one subtask. A join gives a row from the subtask that has the values it is
//! joined on; when they change, the old row is taken back by one subtask while another gives the new
//! one, and nothing says which comes first. Where rows are taken back by their content, as by a client
//! or by an aggregation, any order does.

use std::collections::BTreeSet;

use levada_engine::graph::JoinKind;

use super::expression;
use super::join::is_unique;
use super::{Calc, Join, Node, NodeId, NodeKind, Plan, Properties};

#[cfg(test)]
mod tests;

/// Whether the rows of a node that agree in `columns` are one at any time, and all their changes
/// come in the order in which they were made.
pub(super) fn keeps_order(plan: &Plan, id: NodeId, columns: &BTreeSet<usize>) -> bool {
    let Some(node) = plan.node(id) else {
        return false;
    };
    let own: Vec<usize> = columns.iter().copied().collect();
    if !is_unique(&node.properties, &own) {
        return false;
    }
    // Rows that only come have no changes that could get in disorder.
    if !node.properties.updating {
        return true;
    }
    let below = |columns: BTreeSet<usize>| match node.inputs.as_slice() {
        [input] => keeps_order(plan, *input, &columns),
        _ => false,
    };
    match &node.kind {
        // A key belongs to one partition, or to one subtask.
        NodeKind::Scan(_)
        | NodeKind::Values(_)
        | NodeKind::ChangelogNormalize(_)
        | NodeKind::WindowAggregate(_)
        | NodeKind::GroupAggregate(_) => true,
        NodeKind::Calc(calc) => below(through(calc, columns)),
        NodeKind::AssignWindow(_) => {
            let width = node.properties.schema.fields().len().saturating_sub(3);
            below(columns.iter().copied().filter(|c| *c < width).collect())
        }
        NodeKind::Sink(_) | NodeKind::Collect => below(columns.clone()),
        NodeKind::Union => false,
        NodeKind::Join(join) => join_keeps_order(plan, join, node, columns),
    }
}

/// The columns of a calc's input that pass through to these.
fn through(calc: &Calc, columns: &BTreeSet<usize>) -> BTreeSet<usize> {
    let projected = columns.iter().filter_map(|c| calc.projection.get(*c));
    projected.filter_map(expression::as_column).collect()
}

fn join_keeps_order(plan: &Plan, join: &Join, node: &Node, columns: &BTreeSet<usize>) -> bool {
    let [left, right] = node.inputs.as_slice() else {
        return false;
    };
    let (Some(left_rows), Some(right_rows)) = (plan.node(*left), plan.node(*right)) else {
        return false;
    };
    let width = left_rows.properties.schema.fields().len();
    let of_left: BTreeSet<usize> = columns.iter().copied().filter(|c| *c < width).collect();
    let of_right = columns.iter().filter_map(|c| c.checked_sub(width));
    let of_right: BTreeSet<usize> = of_right.collect();
    let left_stays = stays(&left_rows.properties, &join.left_keys, &of_left);
    let right_stays = stays(&right_rows.properties, &join.right_keys, &of_right);
    let mut pairs = join.left_keys.iter().zip(&join.right_keys);
    let in_one_place = match join.kind {
        JoinKind::Inner => {
            let named = |(l, r)| of_left.contains(l) || of_right.contains(r);
            left_stays || right_stays || pairs.all(named)
        }
        // Rows without a partner have NULL on the other side, so their own columns must tell.
        JoinKind::Left | JoinKind::Semi | JoinKind::Anti => left_stays,
        JoinKind::Right => right_stays,
        JoinKind::Full => left_stays && right_stays,
    };
    let with_keys = |columns: BTreeSet<usize>, keys: &[usize]| {
        columns.into_iter().chain(keys.to_vec()).collect()
    };
    in_one_place
        && keeps_order(plan, *left, &with_keys(of_left, &join.left_keys))
        // What has no columns in the output decides only whether a row is there.
        && (!join.gives_right()
            || keeps_order(plan, *right, &with_keys(of_right, &join.right_keys)))
}

/// Whether rows that agree in `columns` are joined on the same values for ever.
fn stays(rows: &Properties, keys: &[usize], columns: &BTreeSet<usize>) -> bool {
    let own: Vec<usize> = columns.iter().copied().collect();
    keys.iter().all(|key| columns.contains(key)) || (!rows.updating && is_unique(rows, &own))
}
