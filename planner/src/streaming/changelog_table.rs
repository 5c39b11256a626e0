//! ToChangelog and FromChangelog: changes as rows, and rows as changes.

use std::collections::BTreeSet;
use std::sync::Arc;

use levada_engine::element::{ChangelogMode, RowKind};
use levada_language::error::{PlanError, PlanErrorKind};

use super::build::Builder;
use super::order::keeps_order;
use super::{Attribute, ChangelogNormalize, NodeId, NodeKind, Plan, Properties, UpsertMaterialize};
use crate::logical::ChangelogTable;
use crate::parser::rewrite::{ChangelogCall, Direction};

/// Makes a row of every change of the input.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ToChangelog {
    /// The codes of kinds; changes of other kinds are left out.
    pub codes: Vec<(String, RowKind)>,
    /// For each column of the output that of the input, or none for the code.
    pub columns: Vec<Option<usize>>,
    /// The columns of PARTITION BY.
    pub partition_by: Vec<usize>,
    /// The columns that a row keeps as long as it is the same; none if there are no such columns.
    pub identity: Vec<usize>,
}

impl ToChangelog {
    /// Whether updates have to come with the row before.
    pub(super) fn needs_before(&self, input: &Properties) -> bool {
        let told = self.codes.iter();
        let mut told = told.filter(|(_, kind)| *kind == RowKind::UpdateBefore);
        told.next().is_some() || !is_of_row(&self.partition_by, input)
    }

    /// Where a column of the input is in the output.
    fn place(&self, column: usize) -> Option<usize> {
        let mut columns = self.columns.iter();
        columns.position(|own| *own == Some(column))
    }
}

/// Whether a row that changes stays in its partition.
fn is_of_row(partition_by: &[usize], input: &Properties) -> bool {
    let within = |key: &Vec<usize>| partition_by.iter().all(|column| key.contains(column));
    input.keys.iter().any(within)
}

/// Makes a change of every row of the input.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FromChangelog {
    /// The column of the input with the codes.
    pub op: usize,
    /// What codes stand for.
    pub codes: Vec<(String, RowKind)>,
    /// Whether rows with other codes are left out.
    pub skip: bool,
    /// The columns of the input that the output has.
    pub columns: Vec<usize>,
    /// What the rows are then.
    pub mode: ChangelogMode,
}

impl Builder<'_> {
    pub(super) fn changelog_table(&mut self, table: &ChangelogTable) -> Result<NodeId, PlanError> {
        // A changelog does not limit ranks, which may be taken back as long as they may be limited.
        let input = self.settled_query(&table.input)?;
        match table.call.direction {
            Direction::To => self.changes_as_rows(table, input),
            Direction::From => self.rows_as_changes(table, input),
        }
    }

    fn changes_as_rows(
        &mut self,
        table: &ChangelogTable,
        input: NodeId,
    ) -> Result<NodeId, PlanError> {
        let partition_by = table.keys.clone();
        let input = self.in_order(input, &table.call)?;
        let rows = self.properties(input)?;
        let key = key_in_order(&self.plan, input, rows);
        let mut identity: Vec<usize> = key.into_iter().flatten().copied().collect();
        identity.extend(&partition_by);
        identity.sort_unstable();
        identity.dedup();
        let node = ToChangelog {
            codes: table.call.codes.clone(),
            columns: table.columns.clone(),
            partition_by,
            identity,
        };
        let mut properties = Properties::appending(schema_of(table), rows.bounded);
        if !rows.updating {
            let attribute = |column: &Option<usize>| match column {
                Some(column) => rows.attribute(*column),
                None => Attribute::None,
            };
            properties.attributes = table.columns.iter().map(attribute).collect();
        }
        let kind = NodeKind::ToChangelog(node);
        Ok(self.plan.add(kind, vec![input], properties))
    }

    /// Rows whose updates are told without the row before: who reads them takes the last one of a key for the truth.
    fn in_order(&mut self, input: NodeId, call: &ChangelogCall) -> Result<NodeId, PlanError> {
        let rows = self.properties(input)?.clone();
        let whole = call.has(RowKind::UpdateBefore) || !rows.updating;
        let mut keys = rows.keys.iter();
        let ordered = keys.any(|key| is_ordered(&self.plan, input, key));
        let key = match rows.keys.first() {
            Some(key) if !whole && !ordered => key.clone(),
            _ => return Ok(input),
        };
        if self.varies_below(input) {
            return Err(varying(call));
        }
        let node = UpsertMaterialize {
            key,
            forced: false,
            varies: false,
        };
        let properties = node.properties(&rows);
        let kind = NodeKind::UpsertMaterialize(node);
        Ok(self.plan.add(kind, vec![input], properties))
    }

    fn rows_as_changes(
        &mut self,
        table: &ChangelogTable,
        input: NodeId,
    ) -> Result<NodeId, PlanError> {
        let call = &table.call;
        let rows = self.properties(input)?.clone();
        if rows.updating {
            let what = "FROM_CHANGELOG of rows that change";
            return Err(PlanError::unsupported(what, call.location)
                .hint("its input is a log, whose rows only ever come; TO_CHANGELOG makes one"));
        }
        let keys = table.keys.len();
        let mode = call.mode(keys > 0);
        if mode == ChangelogMode::Retract && self.is_computed_anew(input) {
            return Err(varying(call));
        }
        let op = table
            .op
            .ok_or_else(|| PlanError::internal("a changelog has no codes"))?;
        let columns: Vec<usize> = table.columns.iter().copied().flatten().collect();
        let node = FromChangelog {
            op,
            codes: call.codes.clone(),
            skip: call.skip,
            columns,
            mode,
        };
        let properties = node.properties(schema_of(table), &rows, keys);
        let kind = NodeKind::FromChangelog(node);
        let from = self.plan.add(kind, vec![input], properties.clone());
        if mode != ChangelogMode::Upsert {
            return Ok(from);
        }
        let normalize = ChangelogNormalize {
            keys: (0..keys).collect(),
            emit_update_before: false,
        };
        let properties = normalize.properties(&properties);
        let kind = NodeKind::ChangelogNormalize(normalize);
        Ok(self.plan.add(kind, vec![from], properties))
    }
}

impl FromChangelog {
    /// `keys` is how many of the first columns are those of PARTITION BY.
    fn properties(
        &self,
        schema: arrow::datatypes::SchemaRef,
        input: &Properties,
        keys: usize,
    ) -> Properties {
        let mut properties = Properties::appending(schema, input.bounded);
        properties.mode = self.mode;
        match self.mode {
            // Of rows that go the time may have passed.
            ChangelogMode::Retract => properties.updating = true,
            ChangelogMode::Upsert => {
                properties.updating = true;
                properties.keys = vec![(0..keys).collect()];
            }
            ChangelogMode::Append => {
                let attributes = self.columns.iter();
                let attributes = attributes.map(|column| input.attribute(*column));
                properties.attributes = attributes.collect();
                let place = |column: &usize| self.columns.iter().position(|own| own == column);
                let key = |key: &Vec<usize>| key.iter().map(place).collect();
                properties.keys = input.keys.iter().filter_map(key).collect();
            }
        }
        properties
    }
}

fn schema_of(table: &ChangelogTable) -> arrow::datatypes::SchemaRef {
    let schema = datafusion::logical_expr::UserDefinedLogicalNodeCore::schema(table);
    Arc::clone(schema.inner())
}

/// A key of the rows whose changes come in order, or else any.
fn key_in_order<'r>(plan: &Plan, id: NodeId, rows: &'r Properties) -> Option<&'r Vec<usize>> {
    let mut keys = rows.keys.iter();
    let ordered = keys.find(|key| is_ordered(plan, id, key));
    ordered.or(rows.keys.first())
}

fn is_ordered(plan: &Plan, id: NodeId, key: &[usize]) -> bool {
    let columns: BTreeSet<usize> = key.iter().copied().collect();
    keeps_order(plan, id, &columns)
}

/// A row would be taken back by a content that it did not have.
fn varying(call: &ChangelogCall) -> PlanError {
    let kind = PlanErrorKind::Unsupported;
    let what = format!(
        "{} of rows with values that are computed anew each time",
        call.direction.sql_name()
    );
    PlanError::new(kind, what)
        .at(call.location)
        .hint("the row that goes could not be found again; leave out functions such as RAND() and PROCTIME()")
}

/// For each node, whether what reads its rows needs them in the order in which they come: rows on their way to become
/// changes that replace or take back others.
pub(crate) fn wanted_in_order(plan: &Plan) -> Vec<bool> {
    let mut wanted = vec![false; plan.next_id()];
    for (id, node) in plan.iter().rev() {
        let own = wanted.get(id).copied().unwrap_or(false);
        let wants = match &node.kind {
            NodeKind::FromChangelog(from) => from.mode != ChangelogMode::Append,
            NodeKind::Calc(_)
            | NodeKind::Union
            | NodeKind::Unnest(_)
            | NodeKind::AssignWindow(_) => own,
            _ => false,
        };
        if wants {
            for input in &node.inputs {
                if let Some(flag) = wanted.get_mut(*input) {
                    *flag = true;
                }
            }
        }
    }
    wanted
}

/// The columns of a node by which rows of a log belong together, whose order says which of them counts.
pub(crate) fn log_key(plan: &Plan, id: NodeId) -> Option<Vec<usize>> {
    let node = plan.node(id)?;
    let below = || log_key(plan, *node.inputs.first()?);
    match &node.kind {
        NodeKind::ToChangelog(to) => {
            let key = to.identity.iter().map(|column| to.place(*column));
            key.collect::<Option<Vec<_>>>()
                .filter(|key| !key.is_empty())
        }
        NodeKind::Calc(calc) => calc.places(&below()?),
        NodeKind::Union => {
            let keys = node.inputs.iter().map(|input| log_key(plan, *input));
            let keys: Option<Vec<Vec<usize>>> = keys.collect();
            let keys = keys?;
            let first = keys.first()?.clone();
            keys.iter().all(|key| *key == first).then_some(first)
        }
        _ => None,
    }
}
