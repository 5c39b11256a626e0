//! Functions with OVER of the logical plan.
//!
//! A window whose only function numbers rows is a rank as long as it may be limited (`ranking`); any other
//! becomes a node that computes values for all rows. What functions read are columns of a calc in front of it,
//! which are gone behind it. Functions over other partitions or in another order become several nodes.

mod frame;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::{NullTreatment, WindowFunction};
use datafusion::logical_expr::{Expr, Window};
use datafusion::physical_expr::expressions::{Literal, cast};
use levada_engine::graph::{AggregateFunction, OrderColumn, OverForm, OverFunction};
use levada_language::types::SqlType;

use super::aggregate::without_widening;
use super::build::{Builder, names};
use super::expression::{self, ExprRef};
use super::over::{Over, OverValue, times_in_order_of};
use super::ranking::{InOrder, Sorting, place, places};
use super::{Function, NodeId, NodeKind, Properties};
use crate::logical::rank_function;
use levada_language::error::PlanError;

/// A function before what it reads is columns.
struct RawValue {
    /// Without the columns.
    value: OverValue,
    argument: Option<ExprRef>,
    filter: Option<ExprRef>,
    /// What LAG and LEAD give where they find no row.
    default: Option<ExprRef>,
}

impl Builder<'_> {
    pub(super) fn window(&mut self, window: &Window) -> Result<NodeId, PlanError> {
        let calls = window.window_expr.iter().map(window_function);
        let calls = calls.collect::<Result<Vec<_>, _>>()?;
        let input = self.query(&window.input)?;
        if let [only] = calls.as_slice()
            && let Some(function) = rank_function(only.fun.name())
            && self.ranked.may_be_limited(window)
        {
            self.refuse_clauses(only)?;
            return self.ranking(input, window, (function, &only.params));
        }
        self.over(input, window, &calls)
    }

    /// Nodes that compute the values of functions, one for each way in which rows are put in order.
    fn over(
        &mut self,
        input: NodeId,
        window: &Window,
        calls: &[&WindowFunction],
    ) -> Result<NodeId, PlanError> {
        let width = window.input.schema().fields().len();
        let mut groups: Vec<(Sorting, Vec<usize>)> = Vec::new();
        for (at, call) in calls.iter().enumerate() {
            let sorting = self.sorting(&call.params, window)?;
            match groups.iter_mut().find(|(known, _)| *known == sorting) {
                Some((_, group)) => group.push(at),
                None => groups.push((sorting, vec![at])),
            }
        }
        let mut id = input;
        // By call: where its value stands.
        let mut found = vec![0; calls.len()];
        let mut next = width;
        for (sorting, group) in groups {
            let mut values = Vec::new();
            for at in &group {
                let call = calls.get(*at).copied();
                let field = window.schema.fields().get(width + at);
                let (Some(call), Some(field)) = (call, field) else {
                    return Err(PlanError::internal("a function with OVER has no column"));
                };
                values.push(self.raw_value(call, &sorting, window, field.data_type())?);
            }
            id = self.add_over(id, &sorting, values)?;
            for at in group {
                if let Some(slot) = found.get_mut(at) {
                    *slot = next;
                }
                next += 1;
            }
        }
        let schema = Arc::clone(&self.properties(id)?.schema);
        let columns = (0..width).chain(found);
        let columns = columns.map(|column| expression::column(&schema, column));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        self.calc(id, None, columns, names(window.schema.fields()))
    }

    /// Adds a node, and takes away behind it what was computed for it.
    fn add_over(
        &mut self,
        input: NodeId,
        sorting: &Sorting,
        values: Vec<RawValue>,
    ) -> Result<NodeId, PlanError> {
        let width = self.properties(input)?.schema.fields().len();
        let first = values.first().map(|raw| called(raw.value.function));
        let (over, columns) = self.arranged(input, sorting, values)?;
        let source = self.with_computed(input, columns)?;
        let below = self.properties(source)?;
        self.check_sorted(&over.partition_by, &over.order_by, &below.schema, first)?;
        if below.updating && self.varies_below(source) {
            return Err(self.varying(first));
        }
        let times = match (over.form, over.order_by.first()) {
            (OverForm::Arrival, _) => below.attributes.clone(),
            (OverForm::Time, Some(order)) => times_in_order_of(&self.plan, source, order.column),
            _ => Vec::new(),
        };
        let properties = over.properties(below, &times);
        let behind = Arc::clone(&properties.schema);
        let computed = below.schema.fields().len();
        let id = self
            .plan
            .add(NodeKind::Over(over), vec![source], properties);
        if computed == width {
            return Ok(id);
        }
        let kept = (0..behind.fields().len()).filter(|at| !(width..computed).contains(at));
        let kept = kept.map(|at| expression::column(&behind, at));
        let kept = kept.collect::<Result<Vec<_>, _>>()?;
        let kept_names = names(behind.fields()).into_iter().enumerate();
        let kept_names = kept_names.filter(|(at, _)| !(width..computed).contains(at));
        let kept_names = kept_names.map(|(_, name)| name).collect();
        self.calc(id, None, kept, kept_names)
    }

    /// Functions over columns, and these: those of the input, and behind them what has to be computed.
    fn arranged(
        &self,
        input: NodeId,
        sorting: &Sorting,
        values: Vec<RawValue>,
    ) -> Result<(Over, Vec<ExprRef>), PlanError> {
        let rows = self.properties(input)?;
        let mut columns = expression::all_columns(&rows.schema);
        let first = values.first().map(|raw| called(raw.value.function));
        let looks_back = values.iter().all(|raw| raw.value.spec().looks_back());
        let counts_ties = values.iter().any(|raw| raw.value.counts_ties());
        let distance = values.iter().find(|raw| raw.value.has_distance());
        let in_processing_time = self.is_by_processing_time(input, sorting)?;
        if let Some(raw) = distance.filter(|_| in_processing_time && !rows.updating) {
            let what = format!("{} in processing time on streams", raw.value.name);
            return Err(self
                .unsupported_call(&what, first.unwrap_or_default())
                .hint("bound the frame by ROWS, or order by event time"));
        }
        // Rows come in the order of processing time, each at a moment of its own as long as nothing looks ahead.
        let comes_in_order = in_processing_time && (!counts_ties || (looks_back && !rows.updating));
        let how = match (comes_in_order, distance) {
            (true, _) => InOrder::Arrival,
            (false, None) => InOrder::Telling,
            (false, Some(_)) => InOrder::Whole,
        };
        let (partition_by, order_by) = places(sorting, &mut columns, how);
        let by_arrival = order_by.is_empty() && (comes_in_order || !counts_ties);
        let values = values.into_iter().map(|value| value.placed(&mut columns));
        let values: Vec<OverValue> = values.collect();
        let over = Over {
            form: form_of(&values, &order_by, by_arrival, rows),
            partition_by,
            order_by,
            values,
        };
        Ok((over, columns))
    }

    /// The node that has the columns: the input, or a calc behind it.
    pub(super) fn with_computed(
        &mut self,
        input: NodeId,
        mut columns: Vec<ExprRef>,
    ) -> Result<NodeId, PlanError> {
        let schema = Arc::clone(&self.properties(input)?.schema);
        // Only how many rows there are may count; a batch needs a column all the same.
        if columns.is_empty() {
            columns.push(Arc::new(Literal::new(ScalarValue::Boolean(Some(true)))));
        }
        let width = schema.fields().len();
        if columns.len() == width {
            return Ok(input);
        }
        let own = names(schema.fields()).into_iter();
        let computed = columns.iter().skip(width).map(expression::text);
        let all = own.chain(computed).collect();
        self.calc(input, None, columns, all)
    }

    /// A function with what it reads.
    fn raw_value(
        &self,
        call: &WindowFunction,
        sorting: &Sorting,
        window: &Window,
        result_type: &DataType,
    ) -> Result<RawValue, PlanError> {
        let name = call.fun.name().to_lowercase();
        self.refuse_clauses(call)?;
        let params = &call.params;
        let schema = Arc::clone(window.input.schema().inner());
        let function = self.over_function(&name, &params.args)?;
        let counts_rows = matches!(function, OverFunction::Aggregate(AggregateFunction::Count))
            && !params.distinct
            && matches!(params.args.first(), Some(Expr::Literal(value, _)) if !value.is_null());
        let argument = match params.args.first() {
            None => None,
            Some(_) if counts_rows || matches!(function, OverFunction::Tile(_)) => None,
            Some(argument) if name == "sum" && !params.distinct => {
                let plain = without_widening(argument, &window.input)?;
                Some(self.expression(plain, &window.input)?)
            }
            Some(argument) => Some(self.expression(argument, &window.input)?),
        };
        let default = match (function, params.args.get(2)) {
            (OverFunction::Shift { .. }, Some(default)) if !is_null(default) => {
                let default = self.expression(default, &window.input)?;
                Some(cast(default, &schema, result_type.clone())?)
            }
            _ => None,
        };
        let filter = params.filter.as_ref();
        let filter = filter.map(|filter| self.expression(filter, &window.input));
        let argument_type = match &argument {
            Some(argument) => argument.data_type(&schema)?,
            None => DataType::Int64,
        };
        let extreme = is_extreme(function);
        if extreme && argument_type.is_nested() {
            let shown = SqlType::from_arrow(&argument_type);
            let what = format!("{} of {shown} on streams", name.to_uppercase());
            return Err(self.unsupported_call(&what, &name));
        }
        let frame = frame::of(&params.window_frame, sorting, &schema)
            .map_err(|what| self.unsupported_call(&what.text, &name).hint(what.hint))?;
        let value = OverValue {
            function,
            argument: None,
            argument_type,
            filter: None,
            distinct: params.distinct && !extreme,
            ignore_nulls: params.null_treatment == Some(NullTreatment::IgnoreNulls),
            frame,
            result_type: result_type.clone(),
            name: String::new(),
        };
        let mut raw = RawValue {
            value,
            argument,
            filter: filter.transpose()?,
            default,
        };
        raw.value.name = raw.text(&name, &params.window_frame);
        Ok(raw)
    }

    /// What the name and the constant arguments of a call say.
    fn over_function(&self, name: &str, args: &[Expr]) -> Result<OverFunction, PlanError> {
        let shown = name.to_uppercase();
        let number = |place: usize, what: &str| match args.get(place) {
            None => Ok(1),
            Some(Expr::Literal(value, _)) if integer(value).is_some() => {
                Ok(integer(value).unwrap_or_default())
            }
            Some(_) => Err(self
                .unsupported_call(
                    &format!("{shown} whose {what} is not a number on streams"),
                    name,
                )
                .hint("write the number itself")),
        };
        let positive = |place: usize, what: &str| {
            let number = number(place, what)?;
            u64::try_from(number)
                .ok()
                .filter(|number| *number > 0)
                .ok_or_else(|| {
                    let what = format!("{shown} whose {what} is {number} on streams");
                    self.unsupported_call(&what, name).hint("count from 1 on")
                })
        };
        Ok(match name {
            "row_number" => OverFunction::RowNumber,
            "rank" => OverFunction::Rank,
            "dense_rank" => OverFunction::DenseRank,
            "percent_rank" => OverFunction::PercentRank,
            "cume_dist" => OverFunction::CumeDist,
            "ntile" => OverFunction::Tile(positive(0, "number of parts")?),
            "lag" | "lead" => {
                let rows = number(1, "distance")?;
                let offset = if name == "lag" {
                    rows.saturating_neg()
                } else {
                    rows
                };
                OverFunction::Shift {
                    offset,
                    default: None,
                }
            }
            "first_value" => OverFunction::First,
            "last_value" => OverFunction::Last,
            "nth_value" => OverFunction::Nth(positive(1, "row")?),
            _ => match Function::from_name(name).filter(|f| f.works_with_over()) {
                Some(function) => OverFunction::Aggregate(function.spec()),
                None => {
                    let what = format!("{shown} with OVER on streams");
                    return Err(self.unsupported_call(&what, name));
                }
            },
        })
    }

    /// Refuses clauses that mean nothing to a function.
    fn refuse_clauses(&self, call: &WindowFunction) -> Result<(), PlanError> {
        let name = call.fun.name().to_lowercase();
        let params = &call.params;
        let aggregates = Function::from_name(&name).is_some();
        let picks = ["lag", "lead", "first_value", "last_value", "nth_value"];
        let clause = if params.filter.is_some() && !aggregates {
            "FILTER"
        } else if params.null_treatment.is_some() && !picks.contains(&name.as_str()) {
            "IGNORE NULLS or RESPECT NULLS"
        } else if params.distinct && !aggregates {
            "DISTINCT"
        } else {
            return Ok(());
        };
        let what = format!("{clause} of {}", name.to_uppercase());
        Err(self.unsupported_call(&what, &name))
    }
}

/// The name of a function in SQL.
fn called(function: OverFunction) -> &'static str {
    match function {
        OverFunction::RowNumber => "row_number",
        OverFunction::Rank => "rank",
        OverFunction::DenseRank => "dense_rank",
        OverFunction::PercentRank => "percent_rank",
        OverFunction::CumeDist => "cume_dist",
        OverFunction::Tile(_) => "ntile",
        OverFunction::Shift { offset: ..=0, .. } => "lag",
        OverFunction::Shift { .. } => "lead",
        OverFunction::First => "first_value",
        OverFunction::Last => "last_value",
        OverFunction::Nth(_) => "nth_value",
        OverFunction::Aggregate(AggregateFunction::Count) => "count",
        OverFunction::Aggregate(AggregateFunction::Sum) => "sum",
        OverFunction::Aggregate(AggregateFunction::Min) => "min",
        OverFunction::Aggregate(AggregateFunction::Max) => "max",
        OverFunction::Aggregate(_) => "avg",
    }
}

impl RawValue {
    /// The same with what it reads as columns, which are put behind the others where they are none of them.
    fn placed(self, columns: &mut Vec<ExprRef>) -> OverValue {
        let mut at = |expr: &Option<ExprRef>| expr.as_ref().map(|expr| place(expr, columns));
        let (argument, filter, default) = (at(&self.argument), at(&self.filter), at(&self.default));
        let function = match self.value.function {
            OverFunction::Shift { offset, .. } => OverFunction::Shift { offset, default },
            other => other,
        };
        OverValue {
            function,
            argument,
            filter,
            ..self.value
        }
    }

    /// For people and for ids, such as `SUM(price) ROWS BETWEEN 3 PRECEDING AND CURRENT ROW`.
    fn text(&self, name: &str, frame: &datafusion::logical_expr::WindowFrame) -> String {
        let name = name.to_uppercase();
        let value = &self.value;
        let distinct = if value.distinct { "DISTINCT " } else { "" };
        let argument = match (&self.argument, value.function) {
            (Some(argument), _) => expression::text(argument),
            (None, OverFunction::Aggregate(_)) => "*".to_string(),
            (None, OverFunction::Tile(parts)) => parts.to_string(),
            (None, _) => String::new(),
        };
        let more = match value.function {
            OverFunction::Shift { offset, .. } => format!(", {}", offset.unsigned_abs()),
            OverFunction::Nth(row) => format!(", {row}"),
            _ => String::new(),
        };
        let default = self.default.as_ref().map(expression::text);
        let default = default.map_or_else(String::new, |default| format!(", {default}"));
        let nulls = if value.ignore_nulls {
            " IGNORE NULLS"
        } else {
            ""
        };
        let filter = self.filter.as_ref().map(expression::text);
        let filter = filter.map_or_else(String::new, |f| format!(" FILTER (WHERE {f})"));
        let frame = match value.is_framed() {
            true => format!(" {}", frame::text(frame)),
            false => String::new(),
        };
        format!("{name}({distinct}{argument}{more}{default}){nulls}{filter}{frame}")
    }
}

/// When rows go out: as early as nothing that comes later changes them. `by_arrival` says that the order is that in
/// which they come, and that none are equal in it.
fn form_of(
    values: &[OverValue],
    order_by: &[OrderColumn],
    by_arrival: bool,
    input: &Properties,
) -> OverForm {
    let looks_back = values.iter().all(|value| value.spec().looks_back());
    match order_by {
        _ if input.updating || !looks_back => OverForm::Corrected {
            updating: input.updating,
        },
        [] if by_arrival => OverForm::Arrival,
        [order] if !order.descending && input.attribute(order.column).is_event_time() => {
            OverForm::Time
        }
        _ => OverForm::Corrected { updating: false },
    }
}

fn is_extreme(function: OverFunction) -> bool {
    matches!(
        function,
        OverFunction::Aggregate(AggregateFunction::Min | AggregateFunction::Max)
    )
}

fn is_null(expr: &Expr) -> bool {
    matches!(expr, Expr::Literal(value, _) if value.is_null())
}

/// A whole number of any type.
fn integer(value: &ScalarValue) -> Option<i64> {
    match value.cast_to(&DataType::Int64) {
        Ok(ScalarValue::Int64(Some(number))) if value.data_type().is_integer() => Some(number),
        _ => None,
    }
}

fn window_function(expr: &Expr) -> Result<&WindowFunction, PlanError> {
    match expr {
        Expr::WindowFunction(call) => Ok(call),
        Expr::Alias(alias) => window_function(&alias.expr),
        other => Err(PlanError::internal(format!(
            "{other} is not a function with OVER"
        ))),
    }
}

/// The type of the only expression of an order.
fn order_type(sorting: &Sorting, schema: &SchemaRef) -> Option<DataType> {
    match sorting.order_by.as_slice() {
        [order] => order.expr.data_type(schema).ok(),
        _ => None,
    }
}
