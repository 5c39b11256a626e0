//! Which tables and views have versions, and what these are.
//!
//! A table has versions by its PRIMARY KEY: each of its changes counts from its event time on. So has a query that
//! keeps the last row of each key (`ROW_NUMBER() OVER (PARTITION BY key ORDER BY ts DESC) = 1`), and so has what
//! picks, computes and filters columns of either.

use std::sync::Arc;

use datafusion::common::tree_node::TreeNode as _;
use datafusion::common::{Column, Result as DataFusionResult};
use datafusion::logical_expr::expr::WindowFunctionParams;
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{
    BinaryExpr, Expr, Filter, LogicalPlan, LogicalPlanBuilder, Operator, Projection, SubqueryAlias,
    TableScan, Window, WindowFunctionDefinition, lit,
};
use datafusion::scalar::ScalarValue;
use levada_engine::connector::LookupCache;
use levada_engine::graph::RankFunction;

use crate::catalog::ColumnKind;
use crate::logical::ranking::rank_function;
use crate::logical::source::{CatalogTable, ReadAs};
use levada_language::error::{PlanError, PlanErrorKind};
use levada_language::functions::version::VersionCall;

/// From when on a version counts.
const TIME: &str = "__version_time";
/// Whether a version is a row.
const EXISTS: &str = "__version_exists";
/// Of a table that is read change by change in batch mode: whether a change is a delete.
pub(crate) const DELETED: &str = "__version_deleted";
/// Of such a table: the number of a change.
pub(crate) const ORDER: &str = "__version_order";

/// The versions of a table or view.
pub(super) struct Versions {
    /// Their columns, those of the table or view first.
    pub(super) plan: LogicalPlan,
    /// For each part of the key the columns that have it.
    pub(super) keys: Vec<Vec<usize>>,
    /// From when on a version counts; in event time.
    pub(super) time: Option<usize>,
    /// Whether it is a row; `None` if all are.
    pub(super) exists: Option<usize>,
    /// Which of several of one time is the last.
    pub(super) order: Option<usize>,
    /// Whether the last row of a key is its version.
    pub(super) last_rows: bool,
    /// What is kept of a table that is asked by key instead of having versions.
    pub(super) lookup: Option<LookupCache>,
    /// The number of a row among those of its key, which must be 1.
    rank: Option<usize>,
}

impl Versions {
    /// All rows of a plan, whatever they are the versions of.
    pub(super) fn all_rows(plan: &LogicalPlan) -> Self {
        Versions {
            plan: plan.clone(),
            keys: Vec::new(),
            time: None,
            exists: None,
            order: None,
            last_rows: true,
            lookup: None,
            rank: None,
        }
    }

    /// The rows that a table has when it is asked.
    pub(super) fn asked(plan: &LogicalPlan, cache: LookupCache) -> Self {
        Versions {
            lookup: Some(cache),
            ..Self::all_rows(plan)
        }
    }

    fn column(&self, index: usize) -> Expr {
        Expr::Column(Column::from(self.plan.schema().qualified_field(index)))
    }

    /// The columns that stand behind those of the table or view.
    fn hidden(&self) -> impl Iterator<Item = usize> {
        let hidden = [self.time, self.exists, self.order];
        hidden.into_iter().flatten()
    }
}

/// Which versions are asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    /// The last ones, when they come.
    pub(super) processing: bool,
    /// For streams.
    pub(super) streaming: bool,
}

/// Why something has no versions.
pub(super) enum Unversioned {
    Key(String),
    Time(String),
    /// ROW_NUMBER with another limit than 1, or none.
    Rank,
    /// ROW_NUMBER that does not find the last row in event time.
    Order,
    /// Such a number in processing time.
    RankInProcessingTime,
    /// A column of the key that a view leaves out.
    Hidden(String),
    /// A condition of a view.
    Subquery,
    /// Something else.
    Node(&'static str),
    Other(PlanError),
}

impl From<datafusion::error::DataFusionError> for Unversioned {
    fn from(error: datafusion::error::DataFusionError) -> Self {
        Unversioned::Other(error.into())
    }
}

impl Unversioned {
    pub(super) fn into_error(self, call: &VersionCall) -> PlanError {
        const VIEW: &str = "or join with a view that keeps the last row of each key: SELECT … FROM (SELECT *, \
             ROW_NUMBER() OVER (PARTITION BY key ORDER BY ts DESC) AS rn FROM t) WHERE rn = 1";
        let (why, hint) = match self {
            Unversioned::Other(error) => return error.or_at(call.location),
            Unversioned::Key(table) => (
                format!("table {table} has no PRIMARY KEY"),
                format!("declare PRIMARY KEY (…) NOT ENFORCED for {table}, {VIEW}"),
            ),
            Unversioned::Time(table) => (
                format!("table {table} has no event time"),
                format!(
                    "declare WATERMARK FOR a column of {table}: the time from which on a row counts; or use \
                     AS OF a column pt AS PROCTIME() of the left table"
                ),
            ),
            Unversioned::Rank => (
                "the number of ROW_NUMBER is not limited to 1".to_string(),
                "add the condition rn = 1".to_string(),
            ),
            Unversioned::Order => (
                "its ROW_NUMBER does not find the last row of a key in event time".to_string(),
                "have ROW_NUMBER() OVER (PARTITION BY columns ORDER BY ts DESC), with the column of WATERMARK FOR"
                    .to_string(),
            ),
            Unversioned::RankInProcessingTime => (
                "in processing time it would have to be a table with a PRIMARY KEY".to_string(),
                "use AS OF the event time of the left table".to_string(),
            ),
            Unversioned::Hidden(column) => (
                format!("the view leaves out {column}, which is part of the key"),
                format!("have {column} among the columns of the view"),
            ),
            Unversioned::Subquery => (
                "the view has a condition with a subquery".to_string(),
                "put such conditions into the query around the join".to_string(),
            ),
            Unversioned::Node(what) => (
                format!("it has {what}"),
                format!("views may pick, compute and filter columns of a table with a PRIMARY KEY, {VIEW}"),
            ),
        };
        let message = format!("{} has no versions: {why}", call.table);
        PlanError::new(PlanErrorKind::InvalidStatement, message)
            .hint(hint)
            .at(call.location)
    }
}

type Found = Result<Versions, Unversioned>;

/// The versions of what a plan gives.
pub(super) fn versions(plan: &LogicalPlan, wanted: Wanted) -> Found {
    let found = walk(plan, wanted)?;
    match found.rank {
        Some(_) => Err(Unversioned::Rank),
        None => Ok(found),
    }
}

fn walk(plan: &LogicalPlan, wanted: Wanted) -> Found {
    match plan {
        LogicalPlan::TableScan(scan) => of_table(scan, wanted),
        LogicalPlan::SubqueryAlias(alias) => {
            let below = walk(&alias.input, wanted)?;
            let plan = SubqueryAlias::try_new(Arc::new(below.plan), alias.alias.clone())?;
            Ok(Versions {
                plan: LogicalPlan::SubqueryAlias(plan),
                ..below
            })
        }
        LogicalPlan::Projection(projection) => {
            projected(projection, walk(&projection.input, wanted)?)
        }
        LogicalPlan::Filter(filter) => filtered(filter, walk(&filter.input, wanted)?),
        LogicalPlan::Window(window) if wanted.processing => {
            of_window(window)?;
            Err(Unversioned::RankInProcessingTime)
        }
        LogicalPlan::Window(window) => of_window(window),
        LogicalPlan::Aggregate(_) => Err(Unversioned::Node("an aggregation")),
        LogicalPlan::Join(_) => Err(Unversioned::Node("a join")),
        LogicalPlan::Union(_) => Err(Unversioned::Node("a UNION")),
        LogicalPlan::Distinct(_) => Err(Unversioned::Node("a DISTINCT")),
        LogicalPlan::Limit(_) => Err(Unversioned::Node("a LIMIT")),
        LogicalPlan::Values(_) => Err(Unversioned::Node("VALUES")),
        LogicalPlan::Extension(_) => Err(Unversioned::Node("a window or another temporal join")),
        _ => Err(Unversioned::Node("more than columns of a table")),
    }
}

fn of_table(scan: &TableScan, wanted: Wanted) -> Found {
    let Some(found) = CatalogTable::of(&scan.source) else {
        return Err(Unversioned::Key(scan.table_name.to_string()));
    };
    let table = Arc::clone(&found.table);
    if table.primary_key.is_empty() {
        return Err(Unversioned::Key(table.name.clone()));
    }
    let time = table.watermark.as_ref().map(|watermark| watermark.column);
    if time.is_none() && !wanted.processing {
        return Err(Unversioned::Time(table.name.clone()));
    }
    let keys = table.primary_key.iter().map(|column| vec![*column]);
    let keys = keys.collect();
    let reading = match (wanted.streaming, wanted.processing) {
        (true, _) => ReadAs::Changes,
        (false, true) => ReadAs::LastRows,
        (false, false) => ReadAs::NumberedChanges,
    };
    let width = table.columns.len();
    let source = Arc::new(CatalogTable::read_as(table, reading));
    let builder = LogicalPlanBuilder::scan(scan.table_name.clone(), source, None)?;
    let columns = builder.schema().columns();
    let mut columns = columns.into_iter().map(Expr::Column);
    let mut exprs: Vec<Expr> = columns.by_ref().take(width).collect();
    let mut versions = Versions {
        keys,
        last_rows: false,
        ..Versions::all_rows(builder.plan())
    };
    if let Some(time) = time.filter(|_| !wanted.processing)
        && let Some(column) = exprs.get(time).cloned()
    {
        versions.time = Some(exprs.len());
        exprs.push(column.alias(TIME));
    }
    if reading == ReadAs::NumberedChanges {
        versions.exists = Some(exprs.len());
        let mut next = || columns.next().unwrap_or_else(|| lit(false));
        exprs.push((!next()).alias(EXISTS));
        versions.order = Some(exprs.len());
        exprs.push(next().alias(ORDER));
    }
    versions.plan = builder.project(exprs)?.build()?;
    Ok(versions)
}

/// Columns of the key stay where they are picked.
fn projected(projection: &Projection, below: Versions) -> Found {
    let schema = below.plan.schema();
    let place = |expr: &Expr| match expr.clone().unalias() {
        Expr::Column(column) => schema.maybe_index_of_column(&column),
        _ => None,
    };
    let picked: Vec<Option<usize>> = projection.expr.iter().map(place).collect();
    let places = |column: usize| {
        let places = picked.iter().enumerate();
        let places = places.filter(move |(_, from)| **from == Some(column));
        places.map(|(place, _)| place)
    };
    let mut keys = Vec::new();
    for part in &below.keys {
        let now: Vec<usize> = part.iter().flat_map(|column| places(*column)).collect();
        if now.is_empty() {
            let name = part.first().map(|column| schema.field(*column).name());
            return Err(Unversioned::Hidden(name.cloned().unwrap_or_default()));
        }
        keys.push(now);
    }
    let rank = match below.rank {
        None => None,
        // Nothing can limit it any more.
        Some(rank) => Some(places(rank).next().ok_or(Unversioned::Rank)?),
    };
    let width = projection.expr.len();
    let hidden = below.hidden().map(|index| below.column(index));
    let exprs: Vec<Expr> = projection.expr.iter().cloned().chain(hidden).collect();
    let mut next = width..;
    let mut behind = |column: Option<usize>| column.and_then(|_| next.next());
    Ok(Versions {
        keys,
        rank,
        time: behind(below.time),
        exists: behind(below.exists),
        order: behind(below.order),
        last_rows: below.last_rows,
        lookup: below.lookup,
        plan: LogicalPlan::Projection(Projection::try_new(exprs, Arc::new(below.plan))?),
    })
}

/// A row that a condition drops is one that ends. The condition on a number only says which row is the last.
fn filtered(filter: &Filter, mut below: Versions) -> Found {
    let mut conditions = Vec::new();
    for part in split_conjunction_owned(filter.predicate.clone()) {
        match below.rank {
            Some(rank) if is_first(&part, &below.column(rank)) => below.rank = None,
            _ => conditions.push(part),
        }
    }
    let Some(condition) = conjunction(conditions) else {
        return Ok(below);
    };
    if has_subquery([&condition].into_iter())? {
        return Err(Unversioned::Subquery);
    }
    let width = below.plan.schema().fields().len();
    let mut exprs: Vec<Expr> = (0..width).map(|index| below.column(index)).collect();
    match below.exists {
        Some(index) => {
            let both = below.column(index).and(condition);
            if let Some(expr) = exprs.get_mut(index) {
                *expr = both.alias(EXISTS);
            }
        }
        None => {
            below.exists = Some(width);
            exprs.push(condition.alias(EXISTS));
        }
    }
    below.plan = LogicalPlan::Projection(Projection::try_new(exprs, Arc::new(below.plan))?);
    Ok(below)
}

/// Whether conditions have subqueries.
pub(super) fn has_subquery<'e>(
    mut conditions: impl Iterator<Item = &'e Expr>,
) -> DataFusionResult<bool> {
    let is_subquery = |expr: &Expr| {
        Ok(matches!(
            expr,
            Expr::ScalarSubquery(_)
                | Expr::InSubquery(_)
                | Expr::Exists(_)
                | Expr::SetComparison(_)
        ))
    };
    conditions.try_fold(false, |found, expr| Ok(found || expr.exists(is_subquery)?))
}

/// Whether a condition says that the number is 1.
fn is_first(condition: &Expr, number: &Expr) -> bool {
    let value = |expr: &Expr| match expr {
        Expr::Literal(value, _) => match value.cast_to(&arrow::datatypes::DataType::Int64) {
            Ok(ScalarValue::Int64(value)) => value,
            _ => None,
        },
        _ => None,
    };
    let Expr::BinaryExpr(BinaryExpr { left, op, right }) = condition else {
        return false;
    };
    let (op, limit) = match (left.as_ref() == number, right.as_ref() == number) {
        (true, false) => (Some(*op), value(right)),
        (false, true) => (op.swap(), value(left)),
        _ => return false,
    };
    matches!(
        (op, limit),
        (Some(Operator::Eq | Operator::LtEq), Some(1)) | (Some(Operator::Lt), Some(2))
    )
}

/// Rows with a number: each is the last of its key from its time on. All of them have the number 1 then.
fn of_window(window: &Window) -> Found {
    let params = only_row_number(window).ok_or(Unversioned::Node("a function with OVER"))?;
    let schema = window.input.schema();
    let column = |expr: &Expr| match expr {
        Expr::Column(column) => schema.maybe_index_of_column(column),
        _ => None,
    };
    let keys = params.partition_by.iter();
    let keys: Option<Vec<Vec<usize>>> = keys.map(|key| Some(vec![column(key)?])).collect();
    let order = match params.order_by.as_slice() {
        [order] if !order.asc => column(&order.expr),
        _ => None,
    };
    let (Some(keys), Some(time)) = (keys, order) else {
        return Err(Unversioned::Order);
    };
    if keys.is_empty() || is_processing_time(&below_column(window, time), &window.input) {
        return Err(Unversioned::Order);
    }
    let width = schema.fields().len();
    let (qualifier, field) = window.schema.qualified_field(width);
    let number = lit(1_i64).alias_qualified(qualifier.cloned(), field.name());
    let own = (0..width).map(|index| below_column(window, index));
    let time = below_column(window, time).alias(TIME);
    let exprs: Vec<Expr> = own.chain([number, time]).collect();
    let plan = Projection::try_new(exprs, Arc::clone(&window.input))?;
    Ok(Versions {
        keys,
        rank: Some(width),
        time: Some(width + 1),
        ..Versions::all_rows(&LogicalPlan::Projection(plan))
    })
}

fn below_column(window: &Window, index: usize) -> Expr {
    Expr::Column(Column::from(window.input.schema().qualified_field(index)))
}

fn only_row_number(window: &Window) -> Option<&WindowFunctionParams> {
    let [only] = window.window_expr.as_slice() else {
        return None;
    };
    let mut call = only;
    while let Expr::Alias(alias) = call {
        call = &alias.expr;
    }
    let Expr::WindowFunction(function) = call else {
        return None;
    };
    match &function.fun {
        WindowFunctionDefinition::WindowUDF(udf)
            if rank_function(udf.name()) == Some(RankFunction::RowNumber) =>
        {
            Some(&function.params)
        }
        _ => None,
    }
}

/// Whether an expression over the rows of a plan is processing time: PROCTIME(), or a column that is.
pub(super) fn is_processing_time(expr: &Expr, plan: &LogicalPlan) -> bool {
    let column = match expr {
        Expr::ScalarFunction(function) => {
            return function.name().eq_ignore_ascii_case("proctime");
        }
        Expr::Alias(alias) => return is_processing_time(&alias.expr, plan),
        Expr::Column(column) => plan.schema().maybe_index_of_column(column),
        _ => None,
    };
    column.is_some_and(|index| is_processing_column(index, plan))
}

fn is_processing_column(index: usize, plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::TableScan(scan) => {
            let Some(table) = CatalogTable::of(&scan.source) else {
                return false;
            };
            let name = plan.schema().field(index).name();
            let position = table.table.position(name);
            let column = position.and_then(|position| table.table.columns.get(position));
            match column.map(|column| &column.kind) {
                Some(ColumnKind::Computed(computed)) => is_processing_time(&computed.expr, plan),
                _ => false,
            }
        }
        LogicalPlan::Projection(projection) => {
            let expr = projection.expr.get(index);
            expr.is_some_and(|expr| is_processing_time(expr, &projection.input))
        }
        LogicalPlan::Join(_)
        | LogicalPlan::Extension(_)
        | LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Filter(_)
        | LogicalPlan::Window(_) => {
            // Columns of the inputs stand first, one input behind the other.
            let mut index = index;
            for input in plan.inputs() {
                let width = input.schema().fields().len();
                if index < width {
                    return is_processing_column(index, input);
                }
                index -= width;
            }
            false
        }
        _ => false,
    }
}
