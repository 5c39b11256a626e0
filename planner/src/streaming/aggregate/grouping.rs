//! Keys and calls of an aggregation, and the calc that makes plain columns of them.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::utils::grouping_set_to_exprlist;
use datafusion::logical_expr::{Aggregate, Expr, ExprSchemable, LogicalPlan};
use datafusion::physical_expr::expressions::Literal;

use super::sets::Sets;
use crate::streaming::build::{Builder, names};
use crate::streaming::expression::{self, ExprRef};
use crate::streaming::group_aggregate::{Call, Function};
use crate::streaming::{Calc, NodeId};
use levada_language::error::PlanError;
use levada_language::types::SqlType;

/// An aggregate call before its argument is a column.
#[derive(Clone)]
pub(super) struct RawCall {
    pub(super) function: Function,
    pub(super) distinct: bool,
    pub(super) argument: Option<ExprRef>,
    pub(super) filter: Option<ExprRef>,
    pub(super) argument_type: DataType,
    pub(super) result_type: DataType,
}

impl RawCall {
    /// For people and for ids, such as `SUM(DISTINCT price)`.
    pub(super) fn shown(&self) -> String {
        let name = self.function.name();
        let distinct = if self.distinct { "DISTINCT " } else { "" };
        let argument = self
            .argument
            .as_ref()
            .map_or("*".to_string(), expression::text);
        match &self.filter {
            Some(filter) => {
                let filter = expression::text(filter);
                format!("{name}({distinct}{argument}) FILTER (WHERE {filter})")
            }
            None => format!("{name}({distinct}{argument})"),
        }
    }
}

/// Keys and calls of an aggregation over one input.
pub(super) struct Grouping {
    pub(super) keys: Vec<ExprRef>,
    pub(super) key_names: Vec<String>,
    pub(super) calls: Vec<RawCall>,
    /// The names of the output: keys, the id of the set if there are several, then calls.
    pub(super) names: Vec<String>,
    /// Which keys are those of which set; `None` where there is one set of all.
    pub(super) sets: Option<Sets>,
}

impl Grouping {
    /// The same over the input of `calc`.
    pub(super) fn over(&self, calc: &Calc) -> Result<Grouping, PlanError> {
        let below = |e: &ExprRef| expression::substitute(e, &calc.projection);
        let calls = self.calls.iter().map(|call| {
            Ok(RawCall {
                argument: call.argument.as_ref().map(below).transpose()?,
                filter: call.filter.as_ref().map(below).transpose()?,
                argument_type: call.argument_type.clone(),
                result_type: call.result_type.clone(),
                function: call.function,
                distinct: call.distinct,
            })
        });
        Ok(Grouping {
            keys: self.keys.iter().map(below).collect::<Result<_, _>>()?,
            key_names: self.key_names.clone(),
            calls: calls.collect::<Result<_, PlanError>>()?,
            names: self.names.clone(),
            sets: self.sets.clone(),
        })
    }

    /// Whether all sets have the key.
    pub(super) fn always(&self, key: usize) -> bool {
        self.sets.as_ref().is_none_or(|sets| sets.always(key))
    }

    /// Whether both borders of the window that starts at column `width` are keys.
    pub(super) fn names_window(&self, width: usize) -> bool {
        let has = |column| {
            let mut keys = self.keys.iter().enumerate();
            keys.any(|(place, k)| expression::as_column(k) == Some(column) && self.always(place))
        };
        has(width) && has(width + 1)
    }
}

impl Builder<'_> {
    pub(super) fn grouping(&self, aggregate: &Aggregate) -> Result<Grouping, PlanError> {
        let mut keys = Vec::new();
        let sets = Sets::of(aggregate)?;
        for expr in grouping_set_to_exprlist(&aggregate.group_expr)? {
            keys.push(self.expression(expr, &aggregate.input)?);
        }
        let fields = aggregate.schema.fields();
        let result_fields = fields.iter().skip(keys.len() + usize::from(sets.is_some()));
        let calls = aggregate
            .aggr_expr
            .iter()
            .zip(result_fields)
            .map(|(expr, field)| self.call(expr, aggregate, field.data_type()))
            .collect::<Result<Vec<_>, _>>()?;
        let names = names(fields);
        Ok(Grouping {
            key_names: keys
                .iter()
                .zip(&names)
                .map(|(key, name)| key_name(key, name))
                .collect(),
            keys,
            calls,
            names,
            sets,
        })
    }

    pub(super) fn call(
        &self,
        expr: &Expr,
        aggregate: &Aggregate,
        result_type: &DataType,
    ) -> Result<RawCall, PlanError> {
        let function = match expr {
            Expr::AggregateFunction(function) => function,
            Expr::Alias(alias) => return self.call(&alias.expr, aggregate, result_type),
            other => {
                return Err(PlanError::internal(format!("{other} is not an aggregate")));
            }
        };
        let which = supported(function)?;
        let params = &function.params;
        let argument = match params.args.as_slice() {
            // COUNT(*) is COUNT of a literal by now.
            [Expr::Literal(value, _)]
                if which == Function::Count && !params.distinct && !value.is_null() =>
            {
                None
            }
            [argument] => {
                let plain = match which == Function::Sum && !params.distinct {
                    true => without_widening(argument, &aggregate.input)?,
                    false => argument,
                };
                Some(self.expression(plain, &aggregate.input)?)
            }
            [] if which == Function::Count => None,
            _ => {
                return Err(PlanError::unsupported(
                    format!(
                        "{} of several arguments on streams",
                        function.func.name().to_uppercase()
                    ),
                    None,
                ));
            }
        };
        let filter = params
            .filter
            .as_ref()
            .map(|filter| self.expression(filter, &aggregate.input))
            .transpose()?;
        let schema = aggregate.input.schema().inner();
        let argument_type = match &argument {
            Some(argument) => argument.data_type(schema)?,
            None => DataType::Int64,
        };
        let extreme = matches!(which, Function::Min | Function::Max);
        if extreme {
            refuse_nested(function.func.name(), &argument_type)?;
        }
        Ok(RawCall {
            function: which,
            // MIN and MAX do not care about repetition.
            distinct: params.distinct && !extreme,
            argument,
            filter,
            argument_type,
            result_type: result_type.clone(),
        })
    }

    /// A calc that computes keys, arguments, conditions and time, each once.
    pub(super) fn materialise(
        &mut self,
        input: NodeId,
        filter: Option<ExprRef>,
        grouping: &Grouping,
        time: Option<ExprRef>,
    ) -> Result<(NodeId, Materialised), PlanError> {
        let mut columns = Columns::default();
        // Keys stand first and each for itself, because partial rows begin with them.
        for (key, name) in grouping.keys.iter().zip(&grouping.key_names) {
            columns.push(Arc::clone(key), name.clone());
        }
        // A key is NULL in a set that does not have it, what is aggregated is not.
        let first = grouping.sets.as_ref().map_or(0, |_| grouping.keys.len());
        let mut calls = Vec::new();
        for call in &grouping.calls {
            let mut place = |expr: &ExprRef| columns.place_from(first, expr);
            calls.push(Call {
                function: call.function,
                distinct: call.distinct,
                argument: call.argument.as_ref().map(&mut place),
                filter: call.filter.as_ref().map(&mut place),
                argument_type: call.argument_type.clone(),
                result_type: call.result_type.clone(),
                name: call.shown(),
            });
        }
        let mut time = time.as_ref().map(|expr| columns.place_from(first, expr));
        if columns.exprs.is_empty() {
            columns.place_anything();
        }
        let mut id = self.calc(input, filter, columns.exprs, columns.names)?;
        let mut keys = grouping.keys.len();
        if let Some(sets) = &grouping.sets {
            id = self.expand(id, keys, sets)?;
            // The id stands behind the keys.
            let arguments = calls
                .iter_mut()
                .flat_map(|call| [&mut call.argument, &mut call.filter]);
            let moved = arguments.chain([&mut time]).flatten();
            moved.for_each(|place| *place += 1);
            keys += 1;
        }
        let keys = (0..keys).collect();
        Ok((id, Materialised { keys, calls, time }))
    }
}

/// Where the calc in front of an aggregation put things.
pub(super) struct Materialised {
    pub(super) keys: Vec<usize>,
    pub(super) calls: Vec<Call>,
    pub(super) time: Option<usize>,
}

/// The columns of that calc.
#[derive(Default)]
pub(super) struct Columns {
    pub(super) exprs: Vec<ExprRef>,
    pub(super) names: Vec<String>,
}

impl Columns {
    pub(super) fn push(&mut self, expr: ExprRef, name: String) -> usize {
        self.exprs.push(expr);
        self.names.push(name);
        self.exprs.len() - 1
    }

    /// The place of an expression, which may be there already, but not before `first`.
    pub(super) fn place_from(&mut self, first: usize, expr: &ExprRef) -> usize {
        let known = self
            .exprs
            .iter()
            .skip(first)
            .position(|known| known == expr);
        match known {
            Some(index) => first + index,
            None => self.push(Arc::clone(expr), expression::text(expr)),
        }
    }

    /// COUNT(*) alone needs rows, not columns; a batch needs a column all the same.
    pub(super) fn place_anything(&mut self) {
        let nothing = Literal::new(ScalarValue::Boolean(Some(true)));
        self.push(Arc::new(nothing), "row".to_string());
    }
}

/// A column keeps its name; an expression is called after what it does, not after the alias of
/// the table that it reads, because ids of operators depend on it.
fn key_name(key: &ExprRef, name: &str) -> String {
    match expression::as_column(key) {
        Some(_) => name.to_string(),
        None => expression::text(key),
    }
}

/// Refuses MIN and MAX of what has no order on streams.
fn refuse_nested(name: &str, argument_type: &DataType) -> Result<(), PlanError> {
    if !argument_type.is_nested() {
        return Ok(());
    }
    let shown = SqlType::from_arrow(argument_type);
    let what = format!("{} of {shown} on streams", name.to_uppercase());
    Err(PlanError::unsupported(what, None))
}

/// The argument of SUM without the cast to BIGINT that type coercion puts around a smaller integer:
/// sums are wide enough by themselves, so the cast would only cost time.
pub(in crate::streaming) fn without_widening<'a>(
    argument: &'a Expr,
    input: &LogicalPlan,
) -> Result<&'a Expr, PlanError> {
    let Expr::Cast(cast) = argument else {
        return Ok(argument);
    };
    let small = matches!(
        cast.expr.get_type(input.schema())?,
        DataType::Int8 | DataType::Int16 | DataType::Int32
    );
    let widens = cast.field.data_type() == &DataType::Int64;
    Ok(if small && widens {
        &cast.expr
    } else {
        argument
    })
}

fn supported(function: &AggregateFunction) -> Result<Function, PlanError> {
    let name = function.func.name();
    let unsupported = |what: String| {
        Err(PlanError::unsupported(format!("{what} on streams"), None)
            .hint(
            "streams know COUNT, SUM, MIN, MAX, AVG, FIRST_VALUE, LAST_VALUE, ARRAY_AGG, LISTAGG, COLLECT, \
             STDDEV_POP, STDDEV_SAMP, VAR_POP, VAR_SAMP, BOOL_AND, BOOL_OR, PERCENTILE, JSON_ARRAYAGG, \
             JSON_OBJECTAGG and APPROX_COUNT_DISTINCT",
        ))
    };
    let Some(which) = Function::from_name(name) else {
        return unsupported(format!("the aggregate {}", name.to_uppercase()));
    };
    if !function.params.order_by.is_empty() {
        return unsupported(format!("ORDER BY in {}", name.to_uppercase()));
    }
    Ok(which)
}
