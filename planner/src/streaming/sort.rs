//! ORDER BY without LIMIT: in ascending order of time, the one order in which an unbounded stream can be put.
//!
//! Rows wait until the watermark has passed them, as for functions with OVER in that order, of which there are none
//! here. So the node is [`Over`] without values, over a single partition.

use datafusion::logical_expr::Sort;
use levada_engine::graph::OverForm;
use levada_language::error::PlanError;

use super::build::{Builder, names};
use super::over::{Over, times_in_order_of};
use super::ranking::{InOrder, Sorting, places};
use super::{Attribute, NodeId, NodeKind, expression};

impl Builder<'_> {
    pub(super) fn sort(&mut self, sort: &Sort) -> Result<NodeId, PlanError> {
        let input = self.query(&sort.input)?;
        let sorting = Sorting {
            partition_by: Vec::new(),
            order_by: self.order(&sort.expr, &sort.input)?,
        };
        let rows = self.properties(input)?;
        let mut columns = expression::all_columns(&rows.schema);
        let (_, order_by) = places(&sorting, &mut columns, InOrder::Telling);
        let ascending = order_by.first().filter(|order| !order.descending);
        let time = ascending.map_or(Attribute::None, |order| rows.attribute(order.column));
        if rows.updating {
            return Err(self.unsorted("ORDER BY without LIMIT over rows that change, on streams"));
        }
        if self.is_by_processing_time(input, &sorting)? {
            return Ok(input);
        }
        if !time.is_event_time() {
            return Err(self.unsorted("ORDER BY without LIMIT on streams"));
        }
        let width = rows.schema.fields().len();
        let source = self.with_computed(input, columns)?;
        let below = self.properties(source)?;
        self.check_sorted(&[], &order_by, &below.schema, None)?;
        let column = order_by.first().map_or(0, |order| order.column);
        let sorted = Over {
            partition_by: Vec::new(),
            order_by,
            form: OverForm::Time,
            values: Vec::new(),
        };
        let properties = sorted.properties(below, &times_in_order_of(&self.plan, source, column));
        let schema = properties.schema.clone();
        let id = self
            .plan
            .add(NodeKind::Over(sorted), vec![source], properties);
        let mut kept = expression::all_columns(&schema);
        if kept.len() == width {
            return Ok(id);
        }
        kept.truncate(width);
        let own = names(schema.fields()).into_iter().take(width).collect();
        self.calc(id, None, kept, own)
    }

    fn unsorted(&self, what: &str) -> PlanError {
        PlanError::unsupported(what, self.first_order_by).hint(
            "a stream has no end to sort at: order by an event-time column in ascending order, for which rows wait, \
             say how many rows come first with LIMIT, or SET 'execution.runtime-mode' = 'batch'",
        )
    }
}
