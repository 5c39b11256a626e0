//! TO_CHANGELOG and FROM_CHANGELOG: what is there are inserts, and what rows say adds up.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, UInt64Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::SchemaRef;
use arrow::row::{OwnedRow, RowConverter, SortField};
use datafusion::common::Result;
use datafusion::logical_expr::{
    Expr, LogicalPlan, LogicalPlanBuilder, UserDefinedLogicalNodeCore, lit,
};
use levada_engine::element::{Batch, ChangelogMode, RowKind};
use levada_engine::error::EngineError;
use levada_engine::graph::FromChangelogSpec;
use levada_engine::operator::from_changelog::Changes;

use super::through::{Give, Step, Through};
use super::upserts::LastRows;
use crate::logical::ChangelogTable;
use crate::parser::rewrite::Direction;
use levada_language::error::PlanError;

#[cfg(test)]
mod tests;

/// A plan without the node.
pub(super) fn plain(table: &ChangelogTable) -> Result<LogicalPlan> {
    match table.call.direction {
        Direction::To => inserts(table),
        Direction::From => summed(table),
    }
}

/// All rows with the code of inserts.
fn inserts(table: &ChangelogTable) -> Result<LogicalPlan> {
    let codes = table.call.codes.iter();
    let mut inserts = codes.filter(|(_, kind)| *kind == RowKind::Insert);
    let code = inserts.next().map(|(code, _)| code.clone());
    let input = table.input.schema().columns();
    let output = UserDefinedLogicalNodeCore::schema(table);
    let rows = LogicalPlanBuilder::from(table.input.clone());
    let rows = match code {
        Some(_) => rows,
        None => rows.filter(lit(false))?,
    };
    let code = code.unwrap_or_default();
    let columns = table.columns.iter().zip(output.fields());
    let columns = columns.map(|(column, field)| {
        let own = column.and_then(|column| input.get(column).cloned());
        let expr = own.map_or_else(|| lit(code.as_str()), Expr::Column);
        expr.alias(field.name())
    });
    rows.project(columns.collect::<Vec<_>>())?.build()
}

fn summed(table: &ChangelogTable) -> Result<LogicalPlan> {
    let op = table
        .op
        .ok_or_else(|| PlanError::internal("a changelog has no codes"))?;
    let output = UserDefinedLogicalNodeCore::schema(table);
    let names = table.input.schema().fields();
    let spec = FromChangelogSpec {
        op,
        op_name: names.get(op).map(|f| f.name().clone()).unwrap_or_default(),
        codes: table.call.codes.clone(),
        skip: table.call.skip,
        columns: table.columns.iter().copied().flatten().collect(),
    };
    // As in streams: rows that have no key go by what they are.
    let keys = table.keys.len();
    let keys = match table.call.mode(keys > 0) {
        ChangelogMode::Upsert => keys,
        ChangelogMode::Append | ChangelogMode::Retract => 0,
    };
    let schema = Arc::clone(output.inner());
    let names = schema.fields().iter().take(keys);
    let names = names.map(|field| field.name().clone());
    let keys: Vec<String> = names.collect();
    let rows = Through {
        name: "Summed",
        plan: table.input.clone(),
        as_read: true,
        schema: Arc::clone(&schema),
        step: Arc::new(move || {
            Ok(Box::new(Summing {
                changes: Changes::new(&spec, &schema)?,
                sum: Sum::new(&schema, &keys)?,
            }))
        }),
    };
    rows.rows(output)
}

/// Rows of a log on their way to a sum.
struct Summing {
    changes: Changes,
    sum: Sum,
}

impl Step for Summing {
    fn process(&mut self, rows: &RecordBatch, _give: Give<'_>) -> Result<(), EngineError> {
        self.sum.push(&self.changes.of(rows)?)
    }

    fn finish(self: Box<Self>, give: Give<'_>) -> Result<(), EngineError> {
        self.sum.finish()?.into_iter().for_each(give);
        Ok(())
    }
}

/// What changes add up to.
enum Sum {
    /// The last row of each key.
    Last(LastRows),
    /// Rows that are equal.
    Equal(EqualRows),
}

impl Sum {
    /// Of rows that replace each other by columns of these names; without them, of rows that go by what they are.
    fn new(schema: &SchemaRef, keys: &[String]) -> Result<Self, EngineError> {
        Ok(match keys.is_empty() {
            true => Sum::Equal(EqualRows::new(schema)?),
            false => Sum::Last(LastRows::new(Arc::clone(schema), keys)?),
        })
    }

    fn push(&mut self, changes: &Batch) -> Result<(), EngineError> {
        match self {
            Sum::Last(rows) => rows.push(changes),
            Sum::Equal(rows) => rows.push(changes),
        }
    }

    fn finish(self) -> Result<Vec<RecordBatch>, EngineError> {
        match self {
            Sum::Last(rows) => rows.finish(),
            Sum::Equal(rows) => rows.finish(),
        }
    }
}

/// Rows that only come are given on; those that are taken back are counted.
struct EqualRows {
    converter: RowConverter,
    schema: SchemaRef,
    /// How often each row is there. It may be taken back before it comes.
    counts: HashMap<OwnedRow, i64>,
    /// The rows as they came, as long as none was taken back.
    plain: Vec<RecordBatch>,
}

impl EqualRows {
    fn new(schema: &SchemaRef) -> Result<Self, EngineError> {
        let fields = schema.fields().iter();
        let fields = fields.map(|field| SortField::new(field.data_type().clone()));
        Ok(EqualRows {
            converter: RowConverter::new(fields.collect())?,
            schema: Arc::clone(schema),
            counts: HashMap::new(),
            plain: Vec::new(),
        })
    }

    fn push(&mut self, changes: &Batch) -> Result<(), EngineError> {
        if changes.kinds().is_none() && self.counts.is_empty() {
            self.plain.push(changes.rows().clone());
            return Ok(());
        }
        for rows in std::mem::take(&mut self.plain) {
            self.count(&Batch::inserts(rows))?;
        }
        self.count(changes)
    }

    fn count(&mut self, changes: &Batch) -> Result<(), EngineError> {
        let rows = self.converter.convert_columns(changes.rows().columns())?;
        for (row, content) in rows.iter().enumerate() {
            let change = match changes.kind(row).is_retraction() {
                true => -1,
                false => 1,
            };
            let content = content.owned();
            let count = self.counts.entry(content).or_insert(0);
            *count += change;
        }
        Ok(())
    }

    fn finish(self) -> Result<Vec<RecordBatch>, EngineError> {
        if self.counts.is_empty() {
            return Ok(self.plain);
        }
        let left: Vec<(&OwnedRow, i64)> = self
            .counts
            .iter()
            .filter(|(_, count)| **count > 0)
            .map(|(row, count)| (row, *count))
            .collect();
        let contents = left.iter().map(|(row, _)| row.row());
        let columns: Vec<ArrayRef> = self.converter.convert_rows(contents)?;
        let rows = levada_engine::element::rows_of(&self.schema, columns, left.len())?;
        let places = (0u64..).zip(&left);
        let places = places.flat_map(|(place, (_, count))| {
            std::iter::repeat_n(place, usize::try_from(*count).unwrap_or(0))
        });
        let places: UInt64Array = places.collect::<Vec<_>>().into();
        Ok(vec![take_record_batch(&rows, &places)?])
    }
}
