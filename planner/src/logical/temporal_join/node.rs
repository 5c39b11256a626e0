//! The join with versions as a node of the logical plan.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use datafusion::common::{DFSchemaRef, Result};
use datafusion::logical_expr::builder::build_join_schema;
use datafusion::logical_expr::{Expr, JoinType, LogicalPlan, UserDefinedLogicalNodeCore};
use levada_engine::connector::LookupCache;
use std::sync::Arc;

use levada_language::error::{Location, PlanError};
use levada_language::functions::version::VersionKind;

/// Puts each row of the left input to one version of the right one: the last of its key that is no later. The
/// columns are those of both.
#[derive(Debug, Clone)]
pub struct TemporalJoin {
    /// The rows.
    pub left: LogicalPlan,
    /// All versions.
    pub right: LogicalPlan,
    /// What makes a version that of a row.
    pub parts: Parts,
    schema: DFSchemaRef,
}

/// What makes a version that of a row.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Parts {
    /// Whether rows without a version stand beside NULLs.
    pub outer: bool,
    /// How the SQL asks.
    pub kind: VersionKind,
    /// What the right table is called.
    pub table: String,
    /// Where it stands in the SQL.
    pub location: Option<Location>,
    /// Whether the versions are rows of which each is its key's from then on, so that none is ever taken back.
    pub last_rows: bool,
    /// What is kept of a table that is asked by key; `None` has its versions read.
    pub lookup: Option<LookupCache>,
    /// Equalities of the left rows with the key.
    pub keys: Vec<Expr>,
    /// The times that are compared; `None` takes the version that is there when a row comes.
    pub time: Option<AsOfTime>,
    /// Whether a version is a row, or that there is none.
    pub exists: Option<Expr>,
    /// Which of two versions of one time is the later one.
    pub order: Option<Expr>,
    /// What a row and its version fulfil besides.
    pub condition: Option<Expr>,
}

/// Two times.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AsOfTime {
    /// That of a left row.
    pub left: Expr,
    /// From when on a version counts.
    pub right: Expr,
    /// Whether it must be earlier than the row.
    pub earlier: bool,
}

impl Parts {
    fn expressions(&self) -> Vec<Expr> {
        let times = self.time.iter().flat_map(|time| [&time.left, &time.right]);
        let others = [&self.exists, &self.order, &self.condition];
        let all = self.keys.iter().chain(times);
        all.chain(others.into_iter().flatten()).cloned().collect()
    }

    /// The same with these expressions, in that order. Rules give names to what they have changed, which mean
    /// nothing here.
    fn with(&self, exprs: Vec<Expr>) -> Result<Self> {
        let mut exprs = exprs.into_iter().map(Expr::unalias);
        let mut next = || {
            let lost = || PlanError::internal("a join with versions lost an expression");
            exprs.next().ok_or_else(lost)
        };
        let mut parts = self.clone();
        for key in &mut parts.keys {
            *key = next()?;
        }
        if let Some(time) = &mut parts.time {
            (time.left, time.right) = (next()?, next()?);
        }
        let others = [&mut parts.exists, &mut parts.order, &mut parts.condition];
        for other in others.into_iter().flatten() {
            *other = next()?;
        }
        Ok(parts)
    }
}

impl TemporalJoin {
    /// The node over these inputs.
    pub(super) fn new(left: LogicalPlan, right: LogicalPlan, parts: Parts) -> Result<Self> {
        let join_type = match parts.outer {
            true => JoinType::Left,
            false => JoinType::Inner,
        };
        let schema = build_join_schema(left.schema(), right.schema(), &join_type)?;
        Ok(TemporalJoin {
            schema: Arc::new(schema),
            left,
            right,
            parts,
        })
    }

    /// The same over other inputs of the same columns.
    pub(super) fn over(&self, left: LogicalPlan, right: LogicalPlan) -> Result<Self> {
        Self::new(left, right, self.parts.clone())
    }
}

impl PartialEq for TemporalJoin {
    fn eq(&self, other: &Self) -> bool {
        self.parts == other.parts && self.left == other.left && self.right == other.right
    }
}

impl Eq for TemporalJoin {}

impl Hash for TemporalJoin {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.parts.hash(state);
        self.left.hash(state);
        self.right.hash(state);
    }
}

impl PartialOrd for TemporalJoin {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match self.parts.keys.partial_cmp(&other.parts.keys)? {
            Ordering::Equal => match self.left.partial_cmp(&other.left)? {
                Ordering::Equal => self.right.partial_cmp(&other.right),
                unequal => Some(unequal),
            },
            unequal => Some(unequal),
        }
    }
}

impl UserDefinedLogicalNodeCore for TemporalJoin {
    fn name(&self) -> &str {
        "TemporalJoin"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.left, &self.right]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        self.parts.expressions()
    }

    // `prevent_predicate_push_down_columns` is all of them: a condition on versions decides about what comes
    // out, not about which version counts.

    fn fmt_for_explain(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let parts = &self.parts;
        let kind = if parts.outer { "Left" } else { "Inner" };
        let keys: Vec<String> = parts.keys.iter().map(ToString::to_string).collect();
        write!(f, "TemporalJoin: {kind} on=[{}]", keys.join(", "))?;
        match &parts.time {
            Some(AsOfTime {
                left,
                right,
                earlier,
            }) => {
                let sign = if *earlier { ">" } else { ">=" };
                write!(f, " as_of=[{left} {sign} {right}]")?;
            }
            None if parts.lookup.is_some() => write!(f, " as_of=[when it is asked]")?,
            None => write!(f, " as_of=[processing time]")?,
        }
        if let Some(condition) = &parts.condition {
            write!(f, " where=[{condition}]")?;
        }
        Ok(())
    }

    fn with_exprs_and_inputs(&self, exprs: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        let mut inputs = inputs.into_iter();
        match (inputs.next(), inputs.next()) {
            (Some(left), Some(right)) => Self::new(left, right, self.parts.with(exprs)?),
            _ => Err(PlanError::internal("a join with versions lost an input").into()),
        }
    }

    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        // What the expressions need is added by whoever asks.
        let width = self.left.schema().fields().len();
        let of_left = output_columns.iter().copied().filter(|c| *c < width);
        let of_right = output_columns.iter().filter_map(|c| c.checked_sub(width));
        Some(vec![of_left.collect(), of_right.collect()])
    }
}
