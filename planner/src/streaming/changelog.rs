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

use super::order::keeps_order;
use super::{Node, NodeId, NodeKind, Plan, Sink, UpsertMaterialize, upsert_materialize};
use crate::catalog::Table;
use levada_language::error::{PlanError, PlanErrorKind};

/// Sets the mode of every node, and refuses sinks that cannot take theirs.
///
/// # Errors
/// A sink is append-only behind an updating query, or a node cannot take updates.
pub fn assign_modes(plan: &mut Plan, connectors: &ConnectorRegistry) -> Result<(), PlanError> {
    settle_materializations(plan, connectors)?;
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
        NodeKind::Sink(sink) => match fit(plan, node.inputs.first(), sink, connectors)? {
            Fit::AnyChange => Ok(true),
            Fit::Same => Ok(false),
            // A row may move from one key to another, which the row before tells.
            Fit::Wider => Ok(true),
            Fit::Other => Err(other_key(sink)),
        },
        // The client shows changes as they are.
        NodeKind::Collect => Ok(true),
        NodeKind::Calc(calc) => Ok(asked || calc.filter.is_some()),
        NodeKind::GroupAggregate(_)
        | NodeKind::WindowAggregate(_)
        | NodeKind::Join(_)
        | NodeKind::MultiJoin(_)
        | NodeKind::Rank(_)
        | NodeKind::Over(_)
        | NodeKind::Unnest(_)
        | NodeKind::UpsertMaterialize(_) => Ok(true),
        NodeKind::ToChangelog(to) => {
            let input = node.inputs.first().and_then(|input| plan.node(*input));
            Ok(input.is_some_and(|input| to.needs_before(&input.properties)))
        }
        // It knows the rows before; versions end where others begin.
        NodeKind::ChangelogNormalize(_) | NodeKind::TemporalJoin(_) => Ok(false),
        _ => Ok(asked),
    }
}

/// How rows that change go into a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fit {
    /// It takes every change as such.
    AnyChange,
    /// Its PRIMARY KEY is what makes the query's rows unique.
    Same,
    /// It is that and more.
    Wider,
    /// Rows of the query may have the same key, or changes of a key come in another order than they were made in.
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

fn fit(
    plan: &Plan,
    rows: Option<&NodeId>,
    sink: &Sink,
    connectors: &ConnectorRegistry,
) -> Result<Fit, PlanError> {
    let wanted = sink
        .factory(connectors)?
        .accept(ChangelogMode::Retract)
        .map_err(|error| refused_by_sink(error, sink, true))?;
    if wanted == ChangelogMode::Retract {
        return Ok(Fit::AnyChange);
    }
    let input = rows.and_then(|id| Some((*id, plan.node(*id)?)));
    let (Some((id, input)), Some(key)) = (input, written_key(&sink.table)) else {
        return Ok(Fit::Other);
    };
    let within = |unique: &&Vec<usize>| unique.iter().all(|c| key.contains(c));
    let mut keys = input.properties.keys.iter().filter(within).peekable();
    let (unique, same) = (
        keys.peek().is_some(),
        keys.any(|unique| key.iter().all(|c| unique.contains(c))),
    );
    let columns: BTreeSet<usize> = key.iter().copied().collect();
    Ok(match (unique && keeps_order(plan, id, &columns), same) {
        (false, _) => Fit::Other,
        (true, true) => Fit::Same,
        (true, false) => Fit::Wider,
    })
}

/// Takes out what keeps rows by the PRIMARY KEY of a table where nothing needs it.
fn settle_materializations(
    plan: &mut Plan,
    connectors: &ConnectorRegistry,
) -> Result<(), PlanError> {
    for id in plan.outputs.clone() {
        let Some((sink, node, rows)) = materialized(plan, id) else {
            continue;
        };
        let fit = fit(plan, Some(&rows), sink, connectors)?;
        let needed = fit == Fit::Other || (node.forced && fit != Fit::AnyChange);
        if needed && node.varies {
            return Err(upsert_materialize::varying(sink));
        }
        if !needed && let Some(output) = plan.node_mut(id) {
            output.inputs = vec![rows];
        }
    }
    Ok(())
}

/// A sink behind rows that are kept by its key, and what these come from.
fn materialized(plan: &Plan, id: NodeId) -> Option<(&Sink, &UpsertMaterialize, NodeId)> {
    let output = plan.node(id)?;
    let kept = plan.node(*output.inputs.first()?)?;
    match (&output.kind, &kept.kind) {
        (NodeKind::Sink(sink), NodeKind::UpsertMaterialize(node)) => {
            Some((sink, node, *kept.inputs.first()?))
        }
        _ => None,
    }
}

/// Nothing says which row of a key is the last.
fn other_key(sink: &Sink) -> PlanError {
    let table = &sink.table;
    let own = table.names_of(&table.primary_key).join(", ");
    let what = format!(
        "writing rows that change to table {} by PRIMARY KEY ({own}), of which the query may give several rows, or \
         changes in another order than they were made in,",
        table.name
    );
    PlanError::unsupported(what, sink.location).hint(
        "SET 'table.exec.sink.upsert-materialize' = 'auto' keeps the rows of each key, so that the table has the \
         right one; or group the query by the key",
    )
}

fn refused_by_sink(
    error: levada_engine::error::EngineError,
    sink: &Sink,
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
        NodeKind::WindowAggregate(_) | NodeKind::Join(_) | NodeKind::MultiJoin(_)
            if node.properties.updating =>
        {
            ChangelogMode::Retract
        }
        NodeKind::WindowAggregate(_)
        | NodeKind::Join(_)
        | NodeKind::MultiJoin(_)
        | NodeKind::TemporalJoin(_)
        | NodeKind::Pattern(_)
        | NodeKind::CountWindow(_)
        | NodeKind::ToChangelog(_)
        | NodeKind::Values(_) => ChangelogMode::Append,
        NodeKind::FromChangelog(from) => from.mode,
        NodeKind::Rank(_) if !node.properties.updating => ChangelogMode::Append,
        NodeKind::Rank(rank) if rank.number && !asked => ChangelogMode::Upsert,
        NodeKind::Rank(_) => ChangelogMode::Retract,
        NodeKind::Over(_) if !node.properties.updating => ChangelogMode::Append,
        NodeKind::Over(_) | NodeKind::UpsertMaterialize(_) if asked => ChangelogMode::Retract,
        NodeKind::Over(_) | NodeKind::UpsertMaterialize(_) => ChangelogMode::Upsert,
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
