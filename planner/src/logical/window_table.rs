//! The window table function as a node of the logical plan.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use datafusion::common::{DFSchema, DFSchemaRef, Result, TableReference};
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, UserDefinedLogicalNodeCore};

use levada_language::error::{Location, PlanError};
use levada_language::functions::window::{WindowCall, WindowKind};

/// The column of the window's first instant; internal, since inputs may have a `window_start`.
pub const START: &str = "__window_start";
/// The column of the first instant after the window.
pub const END: &str = "__window_end";
/// The column of the window's last instant.
pub const TIME: &str = "__window_time";

/// Appends [`START`], [`END`] and [`TIME`] to each row of the input, once for each window that
/// the row belongs to.
#[derive(Debug, Clone)]
pub struct WindowTable {
    /// The rows.
    pub input: LogicalPlan,
    /// How the windows lie.
    pub kind: WindowKind,
    /// The time attribute: a column of the input, or `proctime()`.
    pub time: Expr,
    /// The size, or the gap of a session, in milliseconds.
    pub size_ms: i64,
    /// The slide of HOP or step of CUMULATE, in milliseconds.
    pub slide_ms: i64,
    /// The shift of the borders, in milliseconds.
    pub offset_ms: i64,
    /// What sessions are kept apart by.
    pub keys: Vec<Expr>,
    /// Where the window stands in the SQL.
    pub location: Option<Location>,
    schema: DFSchemaRef,
}

impl WindowTable {
    /// The node of a marker's call over `input`. `keys` are those of a session.
    pub fn new(input: LogicalPlan, call: WindowCall, keys: Vec<Expr>) -> Result<Self> {
        let time_type = call.time.get_type(input.schema())?;
        let schema = with_window_columns(input.schema(), &time_type)?;
        Ok(WindowTable {
            input,
            kind: call.kind,
            time: call.time,
            size_ms: call.size_ms,
            slide_ms: call.slide_ms.unwrap_or(call.size_ms),
            offset_ms: call.offset_ms,
            keys,
            location: call.location,
            schema,
        })
    }

    /// The type of the three columns.
    pub fn time_type(&self) -> Result<DataType> {
        self.time.get_type(self.input.schema())
    }

    /// What identifies the node, its input aside.
    fn content(&self) -> (WindowKind, &Expr, [i64; 3], &[Expr]) {
        let lengths = [self.size_ms, self.slide_ms, self.offset_ms];
        (self.kind, &self.time, lengths, &self.keys)
    }
}

fn with_window_columns(input: &DFSchema, time_type: &DataType) -> Result<DFSchemaRef> {
    let mut fields: Vec<(Option<TableReference>, Arc<Field>)> = input
        .iter()
        .map(|(qualifier, field)| (qualifier.cloned(), Arc::clone(field)))
        .collect();
    for name in [START, END, TIME] {
        fields.push((None, Arc::new(Field::new(name, time_type.clone(), false))));
    }
    Ok(Arc::new(DFSchema::new_with_metadata(
        fields,
        input.metadata().clone(),
    )?))
}

impl PartialEq for WindowTable {
    fn eq(&self, other: &Self) -> bool {
        self.content() == other.content() && self.input == other.input
    }
}

impl Eq for WindowTable {}

impl Hash for WindowTable {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.content().hash(state);
        self.input.hash(state);
    }
}

impl PartialOrd for WindowTable {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match self.time.partial_cmp(&other.time)? {
            Ordering::Equal => self.input.partial_cmp(&other.input),
            unequal => Some(unequal),
        }
    }
}

impl UserDefinedLogicalNodeCore for WindowTable {
    fn name(&self) -> &str {
        "WindowTable"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        std::iter::once(&self.time)
            .chain(&self.keys)
            .cloned()
            .collect()
    }

    fn prevent_predicate_push_down_columns(&self) -> HashSet<String> {
        let own = [START, END, TIME].into_iter().map(str::to_string);
        match self.kind {
            // Sessions of a key are found among all of its rows, so only whole keys may go.
            WindowKind::Session => {
                let kept = |name: &&String| {
                    let is_key = |key: &Expr| matches!(key, Expr::Column(c) if &c.name == *name);
                    !self.keys.iter().any(is_key)
                };
                let fields = self.input.schema().fields();
                own.chain(fields.iter().map(|f| f.name()).filter(kept).cloned())
                    .collect()
            }
            _ => own.collect(),
        }
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(
            f,
            "WindowTable: {} time={}",
            self.kind.sql_name(),
            self.time
        )?;
        match self.kind {
            WindowKind::Tumble => write!(f, " size={}ms", self.size_ms)?,
            WindowKind::Hop => write!(f, " slide={}ms size={}ms", self.slide_ms, self.size_ms)?,
            WindowKind::Cumulate => write!(f, " step={}ms size={}ms", self.slide_ms, self.size_ms)?,
            WindowKind::Session => write!(f, " gap={}ms", self.size_ms)?,
        }
        if self.offset_ms != 0 {
            write!(f, " offset={}ms", self.offset_ms)?;
        }
        if !self.keys.is_empty() {
            let keys: Vec<String> = self.keys.iter().map(ToString::to_string).collect();
            write!(f, " keys=[{}]", keys.join(", "))?;
        }
        Ok(())
    }

    fn with_exprs_and_inputs(&self, exprs: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        let malformed = || PlanError::internal("a window node lost its input or time");
        let mut exprs = exprs.into_iter();
        let time = exprs.next().ok_or_else(malformed)?;
        let input = inputs.into_iter().next().ok_or_else(malformed)?;
        let schema = with_window_columns(input.schema(), &time.get_type(input.schema())?)?;
        Ok(WindowTable {
            input,
            time,
            keys: exprs.collect(),
            schema,
            ..self.clone()
        })
    }

    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        let input = self.input.schema();
        let width = input.fields().len();
        let mut needed: Vec<usize> = output_columns
            .iter()
            .copied()
            .filter(|i| *i < width)
            .collect();
        for expr in std::iter::once(&self.time).chain(&self.keys) {
            for column in expr.column_refs() {
                needed.push(input.index_of_column(column).ok()?);
            }
        }
        needed.sort_unstable();
        needed.dedup();
        Some(vec![needed])
    }
}
