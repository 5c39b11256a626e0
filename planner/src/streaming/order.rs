//! Whether the changes of a row come one behind the other.
//!
//! A sink that writes by key takes the last change of a key for the truth. An aggregation gives all
//! changes of its key from one subtask. A join gives a row from the subtask that has the values it is
//! joined on; when they change, the old row is taken back by one subtask while another gives the new
//! one, and nothing says which comes first. The same is true of a Top-N or OVER and its partitions. And a Top-N that
//! gives numbers says of each number which row has it now; of a row that moves from one number to
//! another the old place may be taken back when the new one is there already. Where rows are taken back
//! by their content, as by a client or by an aggregation, any order does.

use std::collections::BTreeSet;

use levada_engine::graph::{JoinKind, RankFunction};

use super::expression;
use super::join::is_unique;
use super::{Calc, Join, MultiJoin, Node, NodeId, NodeKind, Plan, Properties, Rank};

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
        | NodeKind::TemporalJoin(_)
        | NodeKind::UpsertMaterialize(_)
        | NodeKind::Pattern(_)
        | NodeKind::CountWindow(_)
        | NodeKind::ToChangelog(_)
        | NodeKind::FromChangelog(_)
        | NodeKind::GroupAggregate(_) => true,
        NodeKind::Calc(calc) => below(through(calc, columns)),
        NodeKind::AssignWindow(_) => {
            let width = node.properties.schema.fields().len().saturating_sub(3);
            below(columns.iter().copied().filter(|c| *c < width).collect())
        }
        // The elements of a row come and go as it does.
        NodeKind::Unnest(unnest) => below(unnest.of_input(columns)),
        NodeKind::Sink(_) | NodeKind::Collect => below(columns.clone()),
        NodeKind::Union => false,
        NodeKind::Join(join) => join_keeps_order(plan, join, node, columns),
        NodeKind::MultiJoin(join) => multi_join_keeps_order(plan, join, node, &own),
        NodeKind::Rank(rank) => rank_keeps_order(plan, rank, node, columns),
        NodeKind::Over(over) => partitions_keep_order(plan, &over.partition_by, node, columns),
    }
}

/// The columns of a calc's input that pass through to these.
fn through(calc: &Calc, columns: &BTreeSet<usize>) -> BTreeSet<usize> {
    let projected = columns.iter().filter_map(|c| calc.projection.get(*c));
    projected.filter_map(expression::as_column).collect()
}

/// A Top-N gives the changes of a partition from one subtask, and of those that belong together it takes back
/// before it gives.
fn rank_keeps_order(plan: &Plan, rank: &Rank, node: &Node, columns: &BTreeSet<usize>) -> bool {
    let Some(below) = input_of(plan, node) else {
        return false;
    };
    let width = below.schema.fields().len();
    let in_partition = rank.partition_by.iter().all(|c| columns.contains(c));
    // What it says of a number, or of the only row of a partition, is true whatever became of other rows.
    let by_number = rank.number && rank.function == RankFunction::RowNumber;
    if in_partition && (rank.gives_one_row() || (by_number && columns.contains(&width))) {
        return true;
    }
    if by_number {
        return false;
    }
    partitions_keep_order(plan, &rank.partition_by, node, columns)
}

/// The changes of a row come from the subtask of its partition, as long as it stays in that.
fn partitions_keep_order(
    plan: &Plan,
    partition_by: &[usize],
    node: &Node,
    columns: &BTreeSet<usize>,
) -> bool {
    let Some((input, below)) = node.inputs.first().zip(input_of(plan, node)) else {
        return false;
    };
    let width = below.schema.fields().len();
    let of_input: BTreeSet<usize> = columns.iter().copied().filter(|c| *c < width).collect();
    if !stays(below, partition_by, &of_input) {
        return false;
    }
    let with_partition = of_input.into_iter().chain(partition_by.iter().copied());
    keeps_order(plan, *input, &with_partition.collect())
}

fn input_of<'p>(plan: &'p Plan, node: &Node) -> Option<&'p Properties> {
    let input = node.inputs.first().and_then(|id| plan.node(*id))?;
    Some(&input.properties)
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
    if !in_one_place {
        return false;
    }
    // What has no columns in the output decides only whether a row is there.
    keeps_order(plan, *left, &with_keys(of_left, &join.left_keys))
        && (!join.gives_right()
            || keeps_order(plan, *right, &with_keys(of_right, &join.right_keys)))
}

/// The same as of a join: an input that is never missing tells where a row comes from, or the key itself does.
fn multi_join_keeps_order(plan: &Plan, join: &MultiJoin, node: &Node, columns: &[usize]) -> bool {
    let count = join.keys.first().map_or(0, Vec::len);
    let mut named = vec![false; count];
    let mut in_one_place = false;
    let mut in_order = true;
    let inputs = node.inputs.iter().zip(&join.keys).zip(&join.padded);
    for (place, ((input, keys), padded)) in inputs.enumerate() {
        let Some(rows) = plan.node(*input) else {
            return false;
        };
        let own: BTreeSet<usize> = join.of_input(place, columns).into_iter().collect();
        if !padded {
            in_one_place |= stays(&rows.properties, keys, &own);
            let keys = named.iter_mut().zip(keys);
            keys.for_each(|(named, key)| *named |= own.contains(key));
        }
        let with_keys = own.into_iter().chain(keys.iter().copied()).collect();
        in_order &= keeps_order(plan, *input, &with_keys);
    }
    in_order && (in_one_place || named.iter().all(|named| *named))
}

/// Whether rows that agree in `columns` are joined on the same values for ever.
fn stays(rows: &Properties, keys: &[usize], columns: &BTreeSet<usize>) -> bool {
    let own: Vec<usize> = columns.iter().copied().collect();
    keys.iter().all(|key| columns.contains(key)) || (!rows.updating && is_unique(rows, &own))
}
