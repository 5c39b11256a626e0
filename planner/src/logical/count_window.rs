//! Windows of so many rows as a node of the logical plan.
//!
//! The parser leaves `get_field(marker, 'window_start')` and its like in a projection, with the number of each row as an argument
//! of the marker, so that DataFusion numbers rows below. Here the marker's call becomes a node between the two.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, DFSchemaRef, Result, TableReference};
use datafusion::logical_expr::{
    Expr, ExprSchemable, Extension, LogicalPlan, Projection, UserDefinedLogicalNodeCore,
};

use super::windows::{Marker, with_column};
use levada_language::error::{Location, PlanError};
use levada_language::functions::count_window::{CountWindowCall, MARKER};

/// The column of the number of the window's first row; internal, since inputs may have a `window_start`.
pub const START: &str = "__count_start";
/// The column of the number of the window's last row.
pub const END: &str = "__count_end";
/// The column of the time of the window's last row.
pub const TIME: &str = "__count_time";

/// Gives the rows of each full window, with [`START`], [`END`] and, where rows are in an order, [`TIME`] behind their columns.
#[derive(Debug, Clone)]
pub struct CountWindowTable {
    /// The rows.
    pub input: LogicalPlan,
    /// How many rows a window has.
    pub size: i64,
    /// How many rows are between the last rows of two windows.
    pub slide: i64,
    /// The column with the number of a row within its partition.
    pub number: Expr,
    /// The column that rows are put in order by, if they are.
    pub time: Option<Expr>,
    /// The columns that partitions are formed by.
    pub keys: Vec<Expr>,
    /// Where the window stands in the SQL.
    pub location: Option<Location>,
    schema: DFSchemaRef,
}

impl CountWindowTable {
    fn new(input: LogicalPlan, call: CountWindowCall) -> Result<Self> {
        let schema = with_window_columns(input.schema(), call.time.as_ref())?;
        Ok(CountWindowTable {
            input,
            size: call.size,
            slide: call.slide,
            number: call.number,
            time: call.time,
            keys: call.keys,
            location: call.location,
            schema,
        })
    }

    /// What identifies the node, its input aside.
    fn content(&self) -> (i64, i64, &Expr, Option<&Expr>, &[Expr]) {
        let (number, time) = (&self.number, self.time.as_ref());
        (self.size, self.slide, number, time, &self.keys)
    }
}

fn with_window_columns(input: &DFSchema, time: Option<&Expr>) -> Result<DFSchemaRef> {
    let own = input.iter();
    let mut fields: Vec<(Option<TableReference>, Arc<Field>)> = own
        .map(|(qualifier, field)| (qualifier.cloned(), Arc::clone(field)))
        .collect();
    for name in [START, END] {
        fields.push((None, Arc::new(Field::new(name, DataType::Int64, false))));
    }
    if let Some(time) = time {
        let field = Field::new(TIME, time.get_type(input)?, true);
        fields.push((None, Arc::new(field)));
    }
    let metadata = input.metadata().clone();
    Ok(Arc::new(DFSchema::new_with_metadata(fields, metadata)?))
}

/// Replaces every marker of the plan.
pub(super) fn replace_markers(plan: LogicalPlan) -> Result<LogicalPlan, PlanError> {
    let replaced = plan.transform_up_with_subqueries(|node| match node {
        LogicalPlan::Projection(projection) => in_projection(projection),
        other => Ok(Transformed::no(other)),
    })?;
    Ok(replaced.data)
}

fn in_projection(projection: Projection) -> Result<Transformed<LogicalPlan>> {
    let mut found = None;
    for expr in &projection.expr {
        expr.apply(|e| {
            if found.is_none() {
                found = CountWindowCall::from_expr(e)?;
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
    }
    let Some(call) = found else {
        return Ok(Transformed::no(LogicalPlan::Projection(projection)));
    };
    let node = CountWindowTable::new(projection.input.as_ref().clone(), call)?;
    let window = LogicalPlan::Extension(Extension {
        node: Arc::new(node),
    });
    let exprs = projection.expr.into_iter();
    let exprs = exprs.map(|e| with_column(e, &OF_ROWS));
    let exprs = exprs.collect::<Result<Vec<_>>>()?;
    let plan = Projection::try_new(exprs, Arc::new(window))?;
    Ok(Transformed::yes(LogicalPlan::Projection(plan)))
}

const OF_ROWS: Marker = Marker {
    name: MARKER,
    columns: [START, END, TIME],
};

impl PartialEq for CountWindowTable {
    fn eq(&self, other: &Self) -> bool {
        self.content() == other.content() && self.input == other.input
    }
}

impl Eq for CountWindowTable {}

impl Hash for CountWindowTable {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.content().hash(state);
        self.input.hash(state);
    }
}

impl PartialOrd for CountWindowTable {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match self.content().partial_cmp(&other.content())? {
            Ordering::Equal => self.input.partial_cmp(&other.input),
            unequal => Some(unequal),
        }
    }
}

impl UserDefinedLogicalNodeCore for CountWindowTable {
    fn name(&self) -> &str {
        "CountWindowTable"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        let first = std::iter::once(&self.number).chain(&self.time);
        first.chain(&self.keys).cloned().collect()
    }

    /// Whole partitions may go before their rows are counted, and nothing else.
    fn prevent_predicate_push_down_columns(&self) -> HashSet<String> {
        let is_key = |name: &str| {
            let mut keys = self.keys.iter();
            keys.any(|key| matches!(key, Expr::Column(column) if column.name == name))
        };
        let names = self.schema.fields().iter().map(|field| field.name());
        names.filter(|name| !is_key(name)).cloned().collect()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let keys: Vec<String> = self.keys.iter().map(ToString::to_string).collect();
        write!(
            f,
            "CountWindowTable: size={} slide={} number={} keys=[{}]",
            self.size,
            self.slide,
            self.number,
            keys.join(", ")
        )?;
        match &self.time {
            Some(time) => write!(f, " time={time}"),
            None => Ok(()),
        }
    }

    fn with_exprs_and_inputs(&self, exprs: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        let malformed = || PlanError::internal("a window of rows lost its input or number");
        let mut exprs = exprs.into_iter();
        let number = exprs.next().ok_or_else(malformed)?;
        let time = match self.time {
            Some(_) => Some(exprs.next().ok_or_else(malformed)?),
            None => None,
        };
        let input = inputs.into_iter().next().ok_or_else(malformed)?;
        Ok(CountWindowTable {
            schema: with_window_columns(input.schema(), time.as_ref())?,
            input,
            number,
            time,
            keys: exprs.collect(),
            ..self.clone()
        })
    }

    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        let input = self.input.schema();
        let width = input.fields().len();
        let own = output_columns.iter().copied();
        let mut needed: Vec<usize> = own.filter(|column| *column < width).collect();
        for expr in self.expressions() {
            for column in expr.column_refs() {
                needed.push(input.index_of_column(column).ok()?);
            }
        }
        needed.sort_unstable();
        needed.dedup();
        Some(vec![needed])
    }
}
