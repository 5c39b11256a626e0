//! CountWindow: the rows of windows of so many rows.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use datafusion::logical_expr::Expr;

use super::build::Builder;
use super::expression::{self, ExprRef};
use super::{Attribute, Calc, NodeId, NodeKind, Properties};
use crate::logical::CountWindowTable;
use levada_language::error::PlanError;
use levada_language::functions::window::{WINDOW_END, WINDOW_START, WINDOW_TIME};

/// Gives the rows of each full window: all of one window in one batch.
///
/// The output has the columns of the input, and behind them the numbers of the window's first and last row and, where there is
/// a time, that of the last row.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CountWindow {
    /// The columns that partitions are formed by; none is one partition of everything.
    pub partition_by: Vec<usize>,
    /// The column with the number of a row within its partition.
    pub number: usize,
    /// The column that rows are in order of, if they are.
    pub time: Option<usize>,
    /// How many rows a window has.
    pub size: u64,
    /// How many rows are between the last rows of two windows.
    pub slide: u64,
}

impl CountWindow {
    fn properties(&self, input: &Properties) -> Properties {
        let width = input.schema.fields().len();
        let mut fields = input.schema.fields().to_vec();
        for name in [WINDOW_START, WINDOW_END] {
            fields.push(Arc::new(Field::new(name, DataType::Int64, false)));
        }
        // Rows come when others have come behind them; the watermark may have passed their times by then.
        let late = |attribute: &Attribute| match attribute {
            Attribute::ProcessingTime => Attribute::ProcessingTime,
            _ => Attribute::None,
        };
        let mut attributes: Vec<Attribute> = input.attributes.iter().map(late).collect();
        attributes.extend([Attribute::None, Attribute::None]);
        if let Some(time) = self.time {
            let field = input.schema.field(time).clone();
            fields.push(Arc::new(field.with_name(WINDOW_TIME)));
            attributes.push(match input.attribute(time) {
                attribute if attribute.is_event_time() => Attribute::EventTime,
                attribute => late(&attribute),
            });
        }
        let mut properties = Properties::appending(Arc::new(Schema::new(fields)), input.bounded);
        properties.attributes = attributes;
        // A row that is in several windows appears once for each.
        let with_end = |key: &Vec<usize>| key.iter().copied().chain([width + 1]).collect();
        properties.keys = input.keys.iter().map(with_end).collect();
        properties
    }

    /// Whether rows that agree in these columns, of the output behind an input of so many columns, are all of one window.
    fn is_one_window(&self, width: usize, columns: &[usize]) -> bool {
        let tumbles = self.size == self.slide;
        let bound = columns.contains(&(width + 1)) || (tumbles && columns.contains(&width));
        bound && self.partition_by.iter().all(|key| columns.contains(key))
    }
}

impl Builder<'_> {
    pub(super) fn count_window(&mut self, table: &CountWindowTable) -> Result<NodeId, PlanError> {
        // A window does not limit ranks, which may be taken back as long as they may be limited.
        let input = self.settled_query(&table.input)?;
        let rows = self.properties(input)?.clone();
        if rows.updating {
            return Err(PlanError::unsupported(
                "windows of so many rows, of rows that change or in another order than that of a time attribute, \
                 on streams",
                table.location,
            )
            .hint(
                "let the input be rows that only ever come, and ORDER BY, if there is one, name the column that \
                 WATERMARK FOR is about, ascending, or one that is AS PROCTIME()",
            ));
        }
        let schema = table.input.schema();
        let place = |expr: &Expr| match expr {
            Expr::Column(column) => Ok(schema.index_of_column(column)?),
            _ => Err(PlanError::internal(
                "a window of rows is about what is no column",
            )),
        };
        let rows_of = |count: i64| {
            let count = u64::try_from(count).ok().filter(|count| *count > 0);
            count.ok_or_else(|| PlanError::internal("a window has no rows"))
        };
        let node = CountWindow {
            partition_by: table.keys.iter().map(place).collect::<Result<_, _>>()?,
            number: place(&table.number)?,
            time: table.time.as_ref().map(place).transpose()?,
            size: rows_of(table.size)?,
            slide: rows_of(table.slide)?,
        };
        let properties = node.properties(&rows);
        let own = self.plan.next_id();
        self.plan.set_location(own, table.location);
        Ok(self
            .plan
            .add(NodeKind::CountWindow(node), vec![input], properties))
    }

    /// Whether rows that agree in `keys`, expressions over a node, are all of one window of rows, which then come in one
    /// batch: nothing but calcs stands between.
    pub(super) fn are_of_count_window(
        &self,
        input: NodeId,
        keys: &[ExprRef],
    ) -> Result<bool, PlanError> {
        let mut calc = Calc {
            filter: None,
            projection: keys.to_vec(),
        };
        let mut id = input;
        while let Some(node) = self.plan.node(id) {
            let [below] = node.inputs.as_slice() else {
                return Ok(false);
            };
            match &node.kind {
                NodeKind::Calc(inner) => {
                    calc = calc.forced_after(inner)?;
                    id = *below;
                }
                NodeKind::CountWindow(window) => {
                    let width = self.properties(*below)?.schema.fields().len();
                    let columns = calc.projection.iter().filter_map(expression::as_column);
                    let columns: Vec<usize> = columns.collect();
                    return Ok(window.is_one_window(width, &columns));
                }
                _ => return Ok(false),
            }
        }
        Ok(false)
    }
}
