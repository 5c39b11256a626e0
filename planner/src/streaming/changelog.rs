//! Changelog modes: who emits updates, and who needs update-before rows.
//!
//! From the outputs to the sources: a sink says what it wants, an aggregate over updates, a join of
//! updates, a Top-N or functions with OVER of updates, the elements of a row that changes and a filter over updates
//! need update-before rows to take back what they let through earlier, and every other node passes the need on. An aggregate that nobody asks emits none, and
//! neither does the normalization of a table of upserts, which itself needs none, and a Top-N that gives
//! numbers, or functions with OVER. A join, and a Top-N without numbers, have inserts and deletes only, so they cannot leave any out.

use std::collections::BTreeSet;

use levada_engine::connector::ConnectorRegistry;
use levada_engine::element::ChangelogMode;

use super::order::{Disorder, keeps_order};
use super::{Node, NodeId, NodeKind, Plan};
use crate::catalog::Table;
use levada_language::error::{PlanError, PlanErrorKind};

/// Sets the mode of every node, and refuses sinks that cannot take theirs.
///
/// # Errors
/// A sink is append-only behind an updating query, or a node cannot take updates.
pub fn assign_modes(plan: &mut Plan, connectors: &ConnectorRegistry) -> Result<(), PlanError> {
    let live = plan.live();
    let mut needs_before = vec![false; live.len()];
    let ids: Vec<NodeId> = plan.iter().map(|(id, _)| id).collect();
    for id in ids.iter().rev() {
        let Some(node) = plan.node(*id) else { continue };
        if !live.get(*id).copied().unwrap_or(false) {
            continue;
        }
        let asked = needs_before.get(*id).copied().unwrap_or(false);
        let needs = input_needs_before(plan, node, asked, connectors)?;
        for input in node.inputs.clone() {
            if let Some(flag) = needs_before.get_mut(input) {
                *flag |= needs;
            }
        }
    }
    for id in ids {
        let asked = needs_before.get(id).copied().unwrap_or(false);
        set_mode(plan, id, asked);
    }
    Ok(())
}

/// Whether a node needs update-before rows from its inputs. `asked` says that its readers do.
fn input_needs_before(
    plan: &Plan,
    node: &Node,
    asked: bool,
    connectors: &ConnectorRegistry,
) -> Result<bool, PlanError> {
    let updating = node
        .inputs
        .iter()
        .any(|input| plan.node(*input).is_some_and(|n| n.properties.updating));
    if !updating {
        if let NodeKind::Sink(sink) = &node.kind {
            let factory = sink.factory(connectors)?;
            factory
                .accept(ChangelogMode::Append)
                .map_err(|error| refused_by_sink(error, sink, false))?;
        }
        return Ok(false);
    }
    match &node.kind {
        NodeKind::Sink(sink) => {
            let factory = sink.factory(connectors)?;
            let wanted = factory
                .accept(ChangelogMode::Retract)
                .map_err(|error| refused_by_sink(error, sink, true))?;
            match (wanted, sink_key(plan, node, &sink.table)) {
                (ChangelogMode::Retract, _) => Ok(true),
                (_, SinkKey::Other) => Err(wrong_key(plan, node, sink)),
                (_, SinkKey::Disordered(why)) => Err(disordered(sink, why)),
                (_, SinkKey::Same) => Ok(false),
                // A row may move from one key to another, which the row before tells.
                (_, SinkKey::Wider) => Ok(true),
            }
        }
        // The client shows changes as they are.
        NodeKind::Collect => Ok(true),
        NodeKind::Calc(calc) => Ok(asked || calc.filter.is_some()),
        NodeKind::GroupAggregate(_)
        | NodeKind::WindowAggregate(_)
        | NodeKind::Join(_)
        | NodeKind::Rank(_)
        | NodeKind::Over(_)
        | NodeKind::Unnest(_) => Ok(true),
        // It knows the rows before; versions end where others begin.
        NodeKind::ChangelogNormalize(_) | NodeKind::TemporalJoin(_) => Ok(false),
        _ => Ok(asked),
    }
}

/// How a sink's PRIMARY KEY relates to what makes the query's rows unique.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SinkKey {
    /// It is the same.
    Same,
    /// It is that and more.
    Wider,
    /// It is that, but changes of a row may come in another order than they were made in.
    Disordered(Disorder),
    /// Two rows of the query may have the same.
    Other,
}

/// The PRIMARY KEY of a table, if it has one, as positions within what is written, which leaves out
/// computed columns.
pub(crate) fn written_key(table: &Table) -> Option<Vec<usize>> {
    let written: Vec<usize> = table
        .columns
        .iter()
        .enumerate()
        .filter(|(_, column)| column.is_persisted())
        .map(|(index, _)| index)
        .collect();
    let place = |column: &usize| written.iter().position(|w| w == column);
    let key: Option<Vec<usize>> = table.primary_key.iter().map(place).collect();
    key.filter(|key| !key.is_empty())
}

fn sink_key(plan: &Plan, node: &Node, table: &Table) -> SinkKey {
    let [id] = node.inputs.as_slice() else {
        return SinkKey::Other;
    };
    let (Some(input), Some(key)) = (plan.node(*id), written_key(table)) else {
        return SinkKey::Other;
    };
    let within = |unique: &&Vec<usize>| unique.iter().all(|c| key.contains(c));
    let mut keys = input.properties.keys.iter().filter(within).peekable();
    let (unique, same) = (
        keys.peek().is_some(),
        keys.any(|unique| key.iter().all(|c| unique.contains(c))),
    );
    let columns: BTreeSet<usize> = key.iter().copied().collect();
    if !unique {
        return SinkKey::Other;
    }
    match (keeps_order(plan, *id, &columns), same) {
        (Err(why), _) => SinkKey::Disordered(why),
        (Ok(()), true) => SinkKey::Same,
        (Ok(()), false) => SinkKey::Wider,
    }
}

/// A row would be deleted after its successor has been written.
fn disordered(sink: &super::Sink, why: Disorder) -> PlanError {
    let own = sink.table.names_of(&sink.table.primary_key).join(", ");
    let (gives, hint) = match why {
        Disorder::Join => (
            "what a join gives from several subtasks for one key",
            "when a column changes that is joined on, another subtask has the row, and its changes may \
             overtake each other; have these columns in the PRIMARY KEY, or aggregate the rows by the key",
        ),
        Disorder::Partition => (
            "what a Top-N or OVER gives from several subtasks for one key",
            "when a column of PARTITION BY changes, another subtask has the row, and its changes may \
             overtake each other; have these columns in the PRIMARY KEY, or aggregate the rows by the key",
        ),
        Disorder::Number => (
            "rows of a Top-N with their numbers",
            "a row that moves up takes the number of another, which would then be deleted where it is \
             already written again; leave the number out of the query, or have a PRIMARY KEY of the columns \
             of PARTITION BY and the number",
        ),
        Disorder::Union => (
            "what a UNION gives from several branches for one key",
            "aggregate the rows by the key",
        ),
    };
    let what = format!(
        "writing to table {} by PRIMARY KEY ({own}) {gives}",
        sink.table.name
    );
    PlanError::unsupported(what, sink.location).hint(hint)
}

/// Rows of the query that share a key would overwrite and delete one another.
fn wrong_key(plan: &Plan, node: &Node, sink: &super::Sink) -> PlanError {
    let input = node.inputs.first().and_then(|id| plan.node(*id));
    let columns = |unique: &Vec<usize>| {
        let schema = input.map(|input| &input.properties.schema);
        let names = unique.iter().filter_map(|column| {
            let field = schema?.fields().get(*column)?;
            Some(field.name().as_str())
        });
        format!("({})", names.collect::<Vec<_>>().join(", "))
    };
    let keys = input.map(|input| &input.properties.keys);
    let keys: Vec<String> = keys.into_iter().flatten().map(columns).collect();
    let (unique, hint) = match keys.first() {
        None => (
            "nothing makes the rows of the query unique".to_string(),
            "group the query by the columns of the PRIMARY KEY".to_string(),
        ),
        Some(first) => (
            format!("the rows of the query are unique by {first}"),
            format!(
                "declare PRIMARY KEY {first} NOT ENFORCED, or group the query by the table's key"
            ),
        ),
    };
    let own = sink.table.primary_key.iter();
    let own = own.filter_map(|column| sink.table.columns.get(*column));
    let own: Vec<&str> = own.map(|column| column.name.as_str()).collect();
    let table = &sink.table.name;
    let what = format!(
        "writing updates to table {table} by PRIMARY KEY ({}) while {unique}",
        own.join(", ")
    );
    PlanError::unsupported(what, sink.location).hint(hint)
}

fn refused_by_sink(
    error: levada_engine::error::EngineError,
    sink: &super::Sink,
    updating: bool,
) -> PlanError {
    let kind = PlanErrorKind::InvalidStatement;
    let refused = PlanError::new(kind, error.message).at(sink.location);
    let refused = match error.detail {
        Some(detail) => refused.detail(detail),
        None => refused,
    };
    match (error.hint, updating) {
        (Some(hint), _) => refused.hint(hint),
        (None, true) => refused.hint(
            "the query updates rows that it has given before; aggregate by windows, which give \
             each row once, or write to a table that takes updates",
        ),
        (None, false) => refused,
    }
}

/// The final mode of a node, from that of its inputs, which come before it.
fn set_mode(plan: &mut Plan, id: NodeId, asked: bool) {
    let Some(node) = plan.node(id) else { return };
    let inputs: Vec<ChangelogMode> = node
        .inputs
        .iter()
        .filter_map(|input| plan.node(*input))
        .map(|input| input.properties.mode)
        .collect();
    let mode = match &node.kind {
        NodeKind::Scan(scan) => scan.mode,
        NodeKind::GroupAggregate(_) if !node.properties.updating => ChangelogMode::Append,
        NodeKind::GroupAggregate(_) | NodeKind::ChangelogNormalize(_) if asked => {
            ChangelogMode::Retract
        }
        NodeKind::GroupAggregate(_) | NodeKind::ChangelogNormalize(_) => ChangelogMode::Upsert,
        // Late rows change a window's result; it then always says what it was before.
        NodeKind::WindowAggregate(_) | NodeKind::Join(_) if node.properties.updating => {
            ChangelogMode::Retract
        }
        NodeKind::WindowAggregate(_)
        | NodeKind::Join(_)
        | NodeKind::TemporalJoin(_)
        | NodeKind::Values(_) => ChangelogMode::Append,
        NodeKind::Rank(_) if !node.properties.updating => ChangelogMode::Append,
        NodeKind::Rank(rank) if rank.number && !asked => ChangelogMode::Upsert,
        NodeKind::Rank(_) => ChangelogMode::Retract,
        NodeKind::Over(_) if !node.properties.updating => ChangelogMode::Append,
        NodeKind::Over(_) if asked => ChangelogMode::Retract,
        NodeKind::Over(_) => ChangelogMode::Upsert,
        _ => combined(&inputs),
    };
    if let Some(node) = plan.node_mut(id) {
        node.properties.mode = mode;
        let before = mode == ChangelogMode::Retract;
        match &mut node.kind {
            NodeKind::GroupAggregate(aggregate) => aggregate.emit_update_before = before,
            NodeKind::ChangelogNormalize(normalize) => normalize.emit_update_before = before,
            _ => {}
        }
    }
}

fn combined(inputs: &[ChangelogMode]) -> ChangelogMode {
    if inputs.iter().all(|mode| *mode == ChangelogMode::Append) {
        return ChangelogMode::Append;
    }
    match inputs.contains(&ChangelogMode::Upsert) {
        true => ChangelogMode::Upsert,
        false => ChangelogMode::Retract,
    }
}
