//! Which of several tables is joined first.
//!
//! A join on streams keeps the rows of both inputs, so a chain of joins keeps what each of them but the last gives.
//! Tables are joined in the order of FROM, as far as equalities connect them (`EliminateCrossJoin`). One kind of
//! table comes sooner, as soon as it is connected: one that is joined on its whole PRIMARY KEY and has a condition of
//! its own. To each row it puts one at most, and it drops some, so whatever the tables hold, all joins
//! behind it give and keep less.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, ExprSchema, NullEquality, Result, internal_datafusion_err};
use datafusion::logical_expr::utils::{
    conjunction, find_valid_equijoin_key_pair, split_conjunction,
};
use datafusion::logical_expr::{
    Expr, Join, JoinConstraint, JoinType, LogicalPlan, Projection, TableScan,
};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

use super::{CatalogTable, ReadAs};

/// Puts tables that make rows fewer in front of others that do not depend on them.
#[derive(Debug)]
pub(super) struct JoinOrder {
    /// Whether nothing in the query is about single joins.
    pub free: bool,
}

impl OptimizerRule for JoinOrder {
    fn name(&self) -> &str {
        "join_order"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::TopDown)
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        _config: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        let mut chain = Chain::default();
        chain.add(&plan);
        if !self.free || chain.inputs.len() < 3 || !chain.may_change() {
            return Ok(Transformed::no(plan));
        }
        let order = chain.order()?;
        if order.is_sorted() {
            return Ok(Transformed::no(plan));
        }
        let joined = chain.joined(&order)?;
        // Columns stay where they were.
        let schema = Arc::clone(plan.schema());
        let picked = Projection::new_from_schema(Arc::new(joined), schema);
        Ok(Transformed::yes(LogicalPlan::Projection(picked)))
    }
}

/// Inner joins with nothing between them but a choice of columns.
#[derive(Default)]
struct Chain<'a> {
    /// What is joined, from left to right.
    inputs: Vec<&'a LogicalPlan>,
    /// What is equal.
    keys: Vec<(&'a Expr, &'a Expr)>,
    /// All other conditions.
    conditions: Vec<&'a Expr>,
}

impl<'a> Chain<'a> {
    fn add(&mut self, plan: &'a LogicalPlan) {
        match plan {
            LogicalPlan::Join(join) if is_plain(join) => {
                self.add(&join.left);
                self.add(&join.right);
                self.keys.extend(join.on.iter().map(|(a, b)| (a, b)));
                let conditions = join.filter.iter().flat_map(split_conjunction);
                self.conditions.extend(conditions);
            }
            LogicalPlan::Projection(picked) if only_picks(picked) && gives_pairs(&picked.input) => {
                self.add(&picked.input);
            }
            _ => self.inputs.push(plan),
        }
    }

    /// Columns that nobody has picked are there again, so no two may have one name. Interval and window joins must stay together with their inputs, for behind other joins there is no event
    /// time; and what varies must be asked as often as before.
    fn may_change(&self) -> bool {
        let keys = self.keys.iter().flat_map(|(a, b)| [*a, *b]);
        let mut parts = keys.chain(self.conditions.iter().copied());
        let mut schemas = self.inputs.iter().map(|input| input.schema());
        let all = schemas.try_fold(DFSchema::empty(), |all, own| all.join(own));
        all.is_ok() && parts.all(|part| !part.is_volatile() && !self.reads_time(part))
    }

    fn reads_time(&self, part: &Expr) -> bool {
        part.column_refs().iter().any(|column| {
            let input = self
                .inputs
                .iter()
                .find(|input| input.schema().has_column(column));
            let field = input.and_then(|input| input.schema().field_from_column(column).ok());
            // An unknown one may be a time.
            field.is_none_or(|field| matches!(field.data_type(), DataType::Timestamp(..)))
        })
    }

    /// The places of the inputs, in the order in which they are to be joined.
    fn order(&self) -> Result<Vec<usize>> {
        let mut order = vec![0];
        let mut left = self.inputs[0].schema().as_ref().clone();
        let mut rest: Vec<usize> = (1..self.inputs.len()).collect();
        while !rest.is_empty() {
            let mut connected = None;
            let mut first = None;
            for (at, input) in rest.iter().enumerate() {
                let keys = self.keys_between(&left, *input)?;
                if keys.is_empty() {
                    continue;
                }
                connected = connected.or(Some(at));
                if makes_fewer(self.inputs[*input], &keys) {
                    first = Some(at);
                    break;
                }
            }
            let next = rest.remove(first.or(connected).unwrap_or(0));
            left = left.join(self.inputs[next].schema())?;
            order.push(next);
        }
        Ok(order)
    }

    /// The equalities that connect an input with the columns on its left.
    fn keys_between(&self, left: &DFSchema, input: usize) -> Result<Vec<(Expr, Expr)>> {
        let right = self.inputs[input].schema();
        let mut found = Vec::new();
        for (a, b) in &self.keys {
            found.extend(find_valid_equijoin_key_pair(a, b, left, right)?);
        }
        Ok(found)
    }

    /// The inputs, joined in another order. Each condition is asked where its columns are first together.
    fn joined(&self, order: &[usize]) -> Result<LogicalPlan> {
        let missing = || internal_datafusion_err!("a join without inputs");
        let (first, rest) = order.split_first().ok_or_else(missing)?;
        let mut joined = self.inputs[*first].clone();
        let conditions = self.conditions.iter().map(|part| (*part).clone());
        let mut conditions: Vec<Expr> = conditions.collect();
        let mut keys = self.keys.clone();
        for next in rest {
            let right = self.inputs[*next];
            let both = joined.schema().join(right.schema())?;
            let on = self.keys_between(joined.schema(), *next)?;
            let here;
            (here, keys) = keys
                .into_iter()
                .partition(|(a, b)| resolves(a, &both) && resolves(b, &both));
            // An equality of which one side needs columns of both inputs is a condition.
            for (a, b) in here {
                if find_valid_equijoin_key_pair(a, b, joined.schema(), right.schema())?.is_none() {
                    conditions.push(a.clone().eq(b.clone()));
                }
            }
            let asked;
            (asked, conditions) = conditions
                .into_iter()
                .partition(|part| resolves(part, &both));
            joined = LogicalPlan::Join(Join::try_new(
                Arc::new(joined),
                Arc::new(right.clone()),
                on,
                conjunction(asked),
                JoinType::Inner,
                JoinConstraint::On,
                NullEquality::NullEqualsNothing,
                false,
            )?);
        }
        match keys.is_empty() && conditions.is_empty() {
            true => Ok(joined),
            false => Err(internal_datafusion_err!("a condition of a join is left")),
        }
    }
}

/// Inner, with NULL equal to nothing.
fn is_plain(join: &Join) -> bool {
    join.join_type == JoinType::Inner
        && join.join_constraint == JoinConstraint::On
        && join.null_equality == NullEquality::NullEqualsNothing
        && !join.null_aware
}

fn only_picks(picked: &Projection) -> bool {
    let mut columns = picked.expr.iter();
    columns.all(|column| column.try_as_col().is_some())
}

/// Whether this is such a join, perhaps below a choice of columns.
fn gives_pairs(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Join(join) => is_plain(join),
        LogicalPlan::Projection(picked) => only_picks(picked) && gives_pairs(&picked.input),
        _ => false,
    }
}

fn resolves(part: &Expr, columns: &DFSchema) -> bool {
    let mut read = part.column_refs().into_iter();
    read.all(|column| columns.has_column(column))
}

/// Whether an input that is joined on these keys puts one row at most to each, and only some rows are in it.
fn makes_fewer(input: &LogicalPlan, keys: &[(Expr, Expr)]) -> bool {
    let Some((scan, true)) = rows_of_table(input) else {
        return false;
    };
    let Some(table) = CatalogTable::of(&scan.source).filter(|of| of.read_as == ReadAs::Rows) else {
        return false;
    };
    let key = table.table.names_of(&table.table.primary_key);
    let is_joined = |name: &String| {
        let own = keys.iter().map(|(_, own)| own);
        let mut columns = own.filter_map(Expr::try_as_col);
        columns.any(|column| column.name == *name)
    };
    !key.is_empty() && key.iter().all(is_joined)
}

/// The table of which an input has rows, and whether it has not all of them.
fn rows_of_table(input: &LogicalPlan) -> Option<(&TableScan, bool)> {
    match input {
        LogicalPlan::TableScan(scan) => Some((scan, scan.filters.iter().any(drops_rows))),
        LogicalPlan::SubqueryAlias(alias) => rows_of_table(&alias.input),
        LogicalPlan::Projection(picked) => {
            rows_of_table(&picked.input).filter(|_| only_picks(picked))
        }
        LogicalPlan::Filter(filter) => {
            let (scan, some) = rows_of_table(&filter.input)?;
            let drops = split_conjunction(&filter.predicate).into_iter();
            Some((scan, some || drops.into_iter().any(drops_rows)))
        }
        _ => None,
    }
}

/// Rows of which a key is NULL have no partner anyway (`FilterNullJoinKeys`).
fn drops_rows(condition: &Expr) -> bool {
    !matches!(condition, Expr::IsNotNull(_))
}
