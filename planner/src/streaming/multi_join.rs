//! MultiJoin: several inputs that are joined on one key.
//!
//! Of `a JOIN b ON a.k = b.k JOIN c ON a.k = c.k` the second join would keep all pairs of `a` and `b` for what `c` brings. One
//! operator with three inputs keeps the rows of `a`, `b` and `c`, and finds pairs when it needs them, since all it
//! joins has one key and is in one place. Joins become one when the plan is complete, and the properties of the last one stay.

#[cfg(test)]
mod tests;

use levada_engine::graph::{JoinKind, MOST_JOINED};

use super::{Calc, Join, Node, NodeId, NodeKind, Plan, expression};

/// Joins its inputs on equal keys, none of them NULL.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MultiJoin {
    /// By input, its key columns: as many in each, of the same types.
    pub keys: Vec<Vec<usize>>,
    /// By input, whether NULLs stand for it where it has no row of a key.
    pub padded: Vec<bool>,
    /// The columns of the output: of which input, and which.
    pub columns: Vec<(usize, usize)>,
}

impl MultiJoin {
    /// The columns of an input among those of the output, given by their places.
    pub(super) fn of_input(&self, input: usize, columns: &[usize]) -> Vec<usize> {
        let found = columns.iter().filter_map(|place| self.columns.get(*place));
        let own = found.filter(|(of, _)| *of == input);
        own.map(|(_, column)| *column).collect()
    }
}

/// Makes one join of those that follow each other on the same key. `ttl_ms` is `table.exec.state.ttl`: a row whose partner may
/// be missing must not lose it by time without saying so.
pub fn merge_joins(plan: &mut Plan, ttl_ms: u64) {
    let mut id = 0;
    while let Some(node) = plan.node(id) {
        if let Some((several, inputs)) = merged(plan, node, ttl_ms)
            && let Some(node) = plan.node_mut(id)
        {
            node.kind = NodeKind::MultiJoin(several);
            node.inputs = inputs;
        }
        id += 1;
    }
}

/// A join with the joins of its left input in it.
fn merged(plan: &Plan, node: &Node, ttl_ms: u64) -> Option<(MultiJoin, Vec<NodeId>)> {
    let NodeKind::Join(join) = &node.kind else {
        return None;
    };
    let [left, right] = *node.inputs.as_slice() else {
        return None;
    };
    if !is_plain(join) {
        return None;
    }
    let (left, picked) = picked(plan, left)?;
    let (mut several, mut inputs) = several(plan, left)?;
    let padded = join.kind == JoinKind::Left;
    if inputs.len() >= MOST_JOINED || ttl_ms > 0 && (padded || several.padded.contains(&true)) {
        return None;
    }
    let right_keys = keys_of_last(join, &picked, &several)?;
    let width = plan.node(right)?.properties.schema.fields().len();
    let of_left = picked
        .iter()
        .map(|place| several.columns.get(*place).copied());
    let mut columns = of_left.collect::<Option<Vec<_>>>()?;
    columns.extend((0..width).map(|column| (inputs.len(), column)));
    inputs.push(right);
    several.keys.push(right_keys);
    several.padded.push(padded);
    Some((MultiJoin { columns, ..several }, inputs))
}

/// Whether nothing but equal keys makes rows partners, for ever.
fn is_plain(join: &Join) -> bool {
    matches!(join.kind, JoinKind::Inner | JoinKind::Left)
        && join.condition.is_none()
        && join.time.is_none()
        && join.ttl_ms == [None, None]
        && !join.null_equals_null
        && are_distinct(&join.left_keys)
        && are_distinct(&join.right_keys)
}

/// Whether there is a key, and no column twice in it.
fn are_distinct(keys: &[usize]) -> bool {
    let again = |(at, key): (usize, &usize)| keys.iter().skip(at + 1).any(|other| other == key);
    !keys.is_empty() && !keys.iter().enumerate().any(again)
}

/// The node behind a choice of columns, with what is chosen, if nobody else reads either.
fn picked(plan: &Plan, id: NodeId) -> Option<(NodeId, Vec<usize>)> {
    let node = plan.node(id).filter(|_| has_one_reader(plan, id))?;
    let NodeKind::Calc(Calc {
        filter: None,
        projection,
    }) = &node.kind
    else {
        return Some((id, (0..node.properties.schema.fields().len()).collect()));
    };
    let [below] = *node.inputs.as_slice() else {
        return None;
    };
    let picked = projection.iter().map(expression::as_column);
    let picked = picked.collect::<Option<Vec<_>>>()?;
    has_one_reader(plan, below).then_some((below, picked))
}

fn has_one_reader(plan: &Plan, id: NodeId) -> bool {
    let live = plan.live();
    let reads = |(reader, node): &(NodeId, &Node)| {
        live.get(*reader).copied().unwrap_or(false) && node.inputs.contains(&id)
    };
    plan.iter().filter(reads).count() == 1
}

/// A join, or one of several inputs, as the latter.
fn several(plan: &Plan, id: NodeId) -> Option<(MultiJoin, Vec<NodeId>)> {
    let node = plan.node(id)?;
    match &node.kind {
        NodeKind::MultiJoin(several) => Some((several.clone(), node.inputs.clone())),
        NodeKind::Join(join) if is_plain(join) => {
            let width = |place: usize| {
                let input = node.inputs.get(place).and_then(|id| plan.node(*id));
                input.map(|input| input.properties.schema.fields().len())
            };
            let of = |input: usize, width: usize| (0..width).map(move |column| (input, column));
            Some((
                MultiJoin {
                    keys: vec![join.left_keys.clone(), join.right_keys.clone()],
                    padded: vec![false, join.kind == JoinKind::Left],
                    columns: of(0, width(0)?).chain(of(1, width(1)?)).collect(),
                },
                node.inputs.clone(),
            ))
        }
        _ => None,
    }
}

/// The key columns of a join's right input in the order of those of its left one, which are `picked` of several inputs; none if
/// it is on other columns than these are joined on. The key of an input that may be missing is not theirs.
fn keys_of_last(join: &Join, picked: &[usize], several: &MultiJoin) -> Option<Vec<usize>> {
    let count = several.keys.first()?.len();
    let mut keys = vec![None; count];
    for (left, right) in join.left_keys.iter().zip(&join.right_keys) {
        let (input, column) = *several.columns.get(*picked.get(*left)?)?;
        if *several.padded.get(input)? {
            return None;
        }
        let mut own = several.keys.get(input)?.iter();
        let place = own.position(|key| *key == column)?;
        *keys.get_mut(place)? = Some(*right);
    }
    (join.left_keys.len() == count).then_some(())?;
    keys.into_iter().collect()
}
