//! Sources read what is needed: columns, fields of ROWs, and computed columns. Ranks give the numbers that
//! are asked for, and UNNEST the columns.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::DFSchema;
use levada_engine::graph::OverForm;

use super::changelog_normalize::upsert_schema;
use super::expression::{self, ExprRef};
use super::usage::{Usage, pruned};
use super::{
    Attribute, Calc, NodeId, NodeKind, Plan, Read, Scan, changelog_normalize, rank, unnest,
};
use crate::catalog::{ColumnKind, Table};
use crate::logical::Resolver;
use levada_language::error::PlanError;

/// Decides what each scan of the plan reads, and rewrites the calcs above it; and which ranks give numbers.
///
/// # Errors
/// Only defects.
pub fn prune(plan: &mut Plan, resolver: &Resolver) -> Result<(), PlanError> {
    let live = plan.live();
    rank::drop_numbers(plan, &live);
    unnest::drop_unread(plan, &live)?;
    let timed = timed_scans(plan, &live);
    let scans: Vec<NodeId> = plan
        .iter()
        .filter(|(id, node)| is_live(&live, *id) && matches!(node.kind, NodeKind::Scan(_)))
        .map(|(id, _)| id)
        .collect();
    for id in scans {
        prune_scan(plan, &live, id, timed.contains(&id), resolver)?;
    }
    Ok(())
}

fn is_live(live: &[bool], id: NodeId) -> bool {
    live.get(id).copied().unwrap_or(false)
}

/// The scans whose watermark somebody waits for.
fn timed_scans(plan: &Plan, live: &[bool]) -> BTreeSet<NodeId> {
    let mut timed = BTreeSet::new();
    for (id, node) in plan.iter().rev() {
        let waits = match &node.kind {
            NodeKind::WindowAggregate(window) => window.time.is_some(),
            NodeKind::AssignWindow(window) => window.time.is_some(),
            NodeKind::Join(join) => join.time.is_some(),
            NodeKind::Over(over) => over.form == OverForm::Time,
            NodeKind::Pattern(pattern) => !pattern.order_by.is_empty(),
            NodeKind::TemporalJoin(join) => join.as_of.is_some(),
            NodeKind::Rank(rank) => rank.window.is_some(),
            _ => false,
        };
        if is_live(live, id) && (waits || timed.contains(&id)) {
            timed.extend(node.inputs.iter().copied());
        }
    }
    timed
}

fn prune_scan(
    plan: &mut Plan,
    live: &[bool],
    id: NodeId,
    timed: bool,
    resolver: &Resolver,
) -> Result<(), PlanError> {
    let Some(NodeKind::Scan(scan)) = plan.node(id).map(|node| node.kind.clone()) else {
        return Ok(());
    };
    let normalize = changelog_normalize::of_scan(plan, id);
    let read = normalize.unwrap_or(id);
    let readers: Vec<(NodeId, Calc)> = plan
        .iter()
        .filter(|(reader, node)| is_live(live, *reader) && node.inputs.contains(&read))
        .filter_map(|(reader, node)| match &node.kind {
            NodeKind::Calc(calc) => Some((reader, calc.clone())),
            _ => None,
        })
        .collect();
    let mut used = Usage::default();
    for (_, calc) in &readers {
        calc.projection
            .iter()
            .chain(&calc.filter)
            .for_each(|e| used.add(e));
    }
    if normalize.is_some() || scan.changes {
        let keys = scan.table.primary_key.iter();
        keys.for_each(|column| used.add_column(*column));
    }
    let columns = TableColumns::new(&scan.table, resolver)?;
    let with_watermark = columns.use_watermark(&mut used, timed);
    if scan.table.option("late-rows.table").is_some() {
        (0..scan.table.columns.len()).for_each(|column| used.add_column(column));
    }
    if used.is_empty() {
        used.add_column(columns.cheapest());
    }
    let pruned = columns.read(&used, with_watermark)?;
    for (reader, calc) in readers {
        let rebase = |e: &ExprRef| expression::rebase(e, &pruned.output, &pruned.positions);
        let new = Calc {
            filter: calc.filter.as_ref().map(rebase).transpose()?,
            projection: calc
                .projection
                .iter()
                .map(rebase)
                .collect::<Result<_, _>>()?,
        };
        if let Some(node) = plan.node_mut(reader) {
            node.kind = NodeKind::Calc(new);
        }
    }
    apply(plan, (id, scan), normalize, pruned);
    Ok(())
}

/// Gives a scan, and what normalizes it, the columns that are left.
fn apply(plan: &mut Plan, (id, scan): (NodeId, Scan), normalize: Option<NodeId>, pruned: Pruned) {
    let Pruned {
        mut read,
        mut output,
        positions,
    } = pruned;
    let attributes = kept(&positions, &scan.attributes(), Attribute::None);
    if let Some(node) = normalize.and_then(|id| plan.node_mut(id)) {
        node.properties.attributes = attributes.clone();
        node.properties.keys = kept_keys(&node.properties.keys, &positions);
        node.properties.schema = output.clone();
        if let NodeKind::ChangelogNormalize(normalize) = &mut node.kind {
            // All of them are there.
            let keys = normalize.keys.iter();
            let keys = keys.filter_map(|key| positions.get(*key).copied().flatten());
            normalize.keys = keys.collect();
        }
    }
    if normalize.is_some() || scan.changes {
        read.schema = upsert_schema(&read.schema, &scan.table);
        output = upsert_schema(&output, &scan.table);
    }
    if let Some(node) = plan.node_mut(id) {
        node.properties.attributes = attributes;
        node.properties.keys = kept_keys(&node.properties.keys, &positions);
        node.properties.schema = output;
        node.kind = NodeKind::Scan(Scan {
            read: Some(read),
            ..scan
        });
    }
}

fn kept<T: Copy>(positions: &[Option<usize>], values: &[T], missing: T) -> Vec<T> {
    let width = positions.iter().flatten().count();
    let mut moved = vec![missing; width];
    for (position, value) in positions.iter().zip(values) {
        if let Some(slot) = position.and_then(|p| moved.get_mut(p)) {
            *slot = *value;
        }
    }
    moved
}

fn kept_keys(keys: &[Vec<usize>], positions: &[Option<usize>]) -> Vec<Vec<usize>> {
    let moved = |key: &Vec<usize>| {
        key.iter()
            .map(|c| positions.get(*c).copied().flatten())
            .collect::<Option<Vec<_>>>()
    };
    keys.iter().filter_map(moved).collect()
}

/// What to read for the given columns of a table, without its watermark. The output has the
/// columns in the table's order, each once.
///
/// # Errors
/// Only defects.
pub(crate) fn read_columns(
    table: &Table,
    columns: &[usize],
    resolver: &Resolver,
) -> Result<Read, PlanError> {
    let mut used = Usage::default();
    columns.iter().for_each(|column| used.add_column(*column));
    Ok(TableColumns::new(table, resolver)?.read(&used, false)?.read)
}

/// The columns of a table with their expressions over what the connector reads.
struct TableColumns<'a> {
    table: &'a Table,
    /// Everything that the connector can read.
    readable: SchemaRef,
    /// Each column over `readable`.
    exprs: Vec<ExprRef>,
    /// The watermark over all columns of the table.
    watermark: Option<(usize, ExprRef)>,
}

/// A scan after pruning.
struct Pruned {
    read: Read,
    output: SchemaRef,
    /// For each column of the table, where it stands in `output`.
    positions: Vec<Option<usize>>,
}

impl<'a> TableColumns<'a> {
    fn new(table: &'a Table, resolver: &Resolver) -> Result<Self, PlanError> {
        let readable = table.read_schema();
        let read_columns = DFSchema::try_from(readable.as_ref().clone())?;
        let mut next = 0;
        let mut exprs = Vec::new();
        for column in &table.columns {
            exprs.push(match &column.kind {
                ColumnKind::Computed(computed) => {
                    resolver.physical(&computed.expr, &read_columns)?
                }
                _ => {
                    next += 1;
                    expression::column(&readable, next - 1)?
                }
            });
        }
        let all_columns = DFSchema::try_from(table.schema().as_ref().clone())?;
        let watermark = match &table.watermark {
            Some(declared) => {
                let expr = resolver.physical(&declared.expression.expr, &all_columns)?;
                Some((declared.column, expr))
            }
            None => None,
        };
        Ok(TableColumns {
            table,
            readable,
            exprs,
            watermark,
        })
    }

    /// Decides about the watermark: it is kept if somebody waits for it, if late rows go to a
    /// table, or if everything that it needs is read anyway.
    fn use_watermark(&self, used: &mut Usage, timed: bool) -> bool {
        let Some((column, expr)) = &self.watermark else {
            return false;
        };
        let mut needed = used.clone();
        needed.add_column(*column);
        needed.add(expr);
        let keep = timed || self.table.option("late-rows.table").is_some() || needed == *used;
        if keep {
            *used = needed;
        }
        keep
    }

    /// A column that costs little, for queries that only count rows.
    fn cheapest(&self) -> usize {
        let cost = |data_type: &DataType| match data_type {
            DataType::Boolean => 1,
            t if t.is_integer() => 2,
            t if t.is_primitive() => 3,
            DataType::Utf8 | DataType::Binary => 4,
            _ => 5,
        };
        let columns = self
            .table
            .columns
            .iter()
            .enumerate()
            .filter(|(_, c)| c.is_read());
        columns
            .min_by_key(|(_, column)| cost(&column.data_type.sql_type.to_arrow()))
            .map_or(0, |(index, _)| index)
    }

    fn read(&self, used: &Usage, with_watermark: bool) -> Result<Pruned, PlanError> {
        let mut positions = vec![None; self.table.columns.len()];
        for (place, column) in used.columns().enumerate() {
            if let Some(slot) = positions.get_mut(column) {
                *slot = Some(place);
            }
        }
        let read_usage = self.read_usage(used);
        let (schema, read_positions) = self.read_schema(&read_usage);
        let mut fields = Vec::new();
        let mut compute = Vec::new();
        for column in used.columns() {
            let (Some(expr), Some(declared)) =
                (self.exprs.get(column), self.table.columns.get(column))
            else {
                return Err(PlanError::internal(format!("there is no column {column}")));
            };
            let expr = expression::rebase(expr, &schema, &read_positions)?;
            fields.push(Field::new(
                &declared.name,
                expression::data_type(&expr, &schema)?,
                declared.data_type.nullable,
            ));
            compute.push(expr);
        }
        let output: SchemaRef = Arc::new(Schema::new(fields));
        let calc = Calc {
            filter: None,
            projection: compute.clone(),
        };
        let passes_through = calc.is_identity(&schema);
        let watermark = match &self.watermark {
            Some((column, expr)) if with_watermark => {
                let place = positions.get(*column).copied().flatten();
                let place = place.ok_or_else(|| PlanError::internal("no watermark column"))?;
                Some((place, expression::rebase(expr, &output, &positions)?))
            }
            _ => None,
        };
        Ok(Pruned {
            read: Read {
                schema,
                compute: (!passes_through).then_some(compute),
                watermark,
            },
            output,
            positions,
        })
    }

    /// What is used of the readable columns, directly or by computed columns.
    fn read_usage(&self, used: &Usage) -> Usage {
        let mut read = Usage::default();
        for column in used.columns() {
            let Some(expr) = self.exprs.get(column) else {
                continue;
            };
            match (expression::as_column(expr), used.of(column)) {
                (Some(place), Some(part)) => read.merge(place, part),
                _ => read.add(expr),
            }
        }
        if read.is_empty() {
            // Nothing but PROCTIME(): rows need some column to be counted by.
            let cheapest = self
                .exprs
                .get(self.cheapest())
                .and_then(expression::as_column);
            read.add_column(cheapest.unwrap_or(0));
        }
        read
    }

    fn read_schema(&self, usage: &Usage) -> (SchemaRef, Vec<Option<usize>>) {
        let mut positions = vec![None; self.readable.fields().len()];
        let mut fields = Vec::new();
        for (index, field) in self.readable.fields().iter().enumerate() {
            let Some(part) = usage.of(index) else {
                continue;
            };
            if let Some(slot) = positions.get_mut(index) {
                *slot = Some(fields.len());
            }
            fields.push(pruned(field, part));
        }
        (Arc::new(Schema::new(fields)), positions)
    }
}
