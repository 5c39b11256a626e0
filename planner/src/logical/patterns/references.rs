//! What expressions of a pattern ask of rows: each column, navigation and aggregate becomes a column of values, and
//! the expression is over these.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, Result, ScalarValue, TableReference};
use datafusion::logical_expr::expr::{AggregateFunction as AggregateCall, ScalarFunction};
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, cast};
use levada_engine::graph::{ALL_VARIABLES, Reference};
use levada_language::dialect::pattern::{FINAL, RUNNING};
use levada_language::error::{PlanError, PlanErrorKind};
use levada_language::types::SqlType;

use super::marks::{self, qualifier, variable_of};
use crate::streaming::Function as F;

/// What expressions are over.
pub(super) struct Rows {
    /// The columns of the input, once for each qualifier.
    pub(super) schema: DFSchema,
    /// The columns of the input.
    input: Vec<(Column, FieldRef)>,
    /// The rows of each variable, and of those of SUBSET.
    sets: Vec<u64>,
    /// The columns that references name.
    pub(super) columns: Vec<Expr>,
    /// Those of them that are computed in front, by their name.
    pub(super) computed: Vec<(Expr, String)>,
}

/// Where an expression stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In DEFINE.
    Condition,
    /// In MEASURES; whether rows behind the current one do not count by themselves.
    Measure { running: bool },
}

/// Values that expressions read.
pub(super) struct Values {
    prefix: &'static str,
    place: Place,
    pub(super) found: Vec<(Reference, FieldRef)>,
}

impl Values {
    pub(super) fn new(prefix: &'static str, place: Place) -> Self {
        Values {
            prefix,
            place,
            found: Vec::new(),
        }
    }

    /// The column of a value.
    fn column(&mut self, reference: Reference, data_type: DataType) -> Expr {
        let known = self.found.iter().position(|(own, _)| *own == reference);
        let at = known.unwrap_or_else(|| {
            let name = format!("{}{}", self.prefix, self.found.len());
            let field = super::node::measure_field(name, data_type);
            self.found.push((reference, field));
            self.found.len() - 1
        });
        Expr::Column(Column::new_unqualified(format!("{}{at}", self.prefix)))
    }

    fn running(&self) -> bool {
        self.place == Place::Measure { running: true }
    }
}

/// Where a navigation leads.
#[derive(Clone, Copy)]
struct Way {
    first: bool,
    offset: u32,
    shift: i64,
    running: bool,
}

impl Rows {
    /// `sets` are the rows of each variable, and of those of SUBSET behind them.
    pub(super) fn new(input: &LogicalPlan, sets: Vec<u64>) -> Result<Self> {
        let own: Vec<(Column, FieldRef)> = input
            .schema()
            .columns()
            .into_iter()
            .zip(input.schema().fields().iter().cloned())
            .collect();
        let variables = (0..sets.len()).map(qualifier);
        let qualifiers = std::iter::once(marks::ROW.to_string()).chain(variables);
        let fields = qualifiers.flat_map(|qualifier| {
            let table = TableReference::bare(qualifier);
            let field = move |(_, field): &(Column, FieldRef)| {
                let field = field.as_ref().clone().with_nullable(true);
                (Some(table.clone()), Arc::new(field))
            };
            own.iter().map(field).collect::<Vec<_>>()
        });
        Ok(Rows {
            schema: DFSchema::new_with_metadata(fields.collect(), Default::default())?,
            input: own,
            sets,
            columns: Vec::new(),
            computed: Vec::new(),
        })
    }

    /// The expression over columns of values.
    pub(super) fn resolve(&mut self, expr: Expr, values: &mut Values) -> Result<Expr> {
        let running = values.running();
        let resolved = expr.transform_down(|part| {
            let found = self.value(&part, running, values)?;
            Ok(match found {
                Some(column) => Transformed::new(column, true, TreeNodeRecursion::Jump),
                None => Transformed::no(part),
            })
        })?;
        Ok(resolved.data)
    }

    /// The column of the value that an expression is; `None` if it is made of others.
    fn value(&mut self, expr: &Expr, running: bool, values: &mut Values) -> Result<Option<Expr>> {
        let way = Way {
            first: false,
            offset: 0,
            shift: 0,
            running,
        };
        match expr {
            Expr::Column(_) => self.navigation(expr, way, values).map(Some),
            Expr::AggregateFunction(call) => self.aggregate(call, running, values).map(Some),
            Expr::ScalarFunction(call) => self.function(call, way, values),
            Expr::WindowFunction(_) => Err(invalid("a function with OVER in a pattern", "")),
            _ => Ok(None),
        }
    }

    fn function(
        &mut self,
        call: &ScalarFunction,
        way: Way,
        values: &mut Values,
    ) -> Result<Option<Expr>> {
        let only_measures = |what: &str| match values.place {
            Place::Condition => Err(invalid(
                &format!("{what} in DEFINE"),
                "it is about the match that the condition decides on: use it in MEASURES",
            )),
            Place::Measure { .. } => Ok(()),
        };
        match call.name() {
            marks::FIRST | marks::LAST | marks::PREV | marks::NEXT => {
                let (inner, way) = walk(call, way)?;
                self.navigation(&inner, way, values).map(Some)
            }
            marks::CLASSIFIER => {
                only_measures("CLASSIFIER()")?;
                let value = values.column(Reference::Classifier, DataType::Utf8);
                Ok(Some(value))
            }
            marks::MATCH_NUMBER => {
                only_measures("MATCH_NUMBER()")?;
                let value = values.column(Reference::MatchNumber, DataType::Int64);
                Ok(Some(value))
            }
            marks::ROWTIME => {
                only_measures("MATCH_ROWTIME()")?;
                let time = call.args.first().cloned();
                let time = time.ok_or_else(|| PlanError::internal("no time of a match"))?;
                let way = Way {
                    running: false,
                    ..way
                };
                self.navigation(&time, way, values).map(Some)
            }
            marks::COUNT_ROWS => Ok(Some(self.count_rows(call, way.running, values))),
            FINAL | RUNNING => {
                only_measures(if call.name() == FINAL {
                    "FINAL"
                } else {
                    "RUNNING"
                })?;
                let inner = call.args.first();
                let inner = inner.ok_or_else(|| PlanError::internal("FINAL of nothing"))?;
                let running = call.name() == RUNNING && values.running();
                match self.value(inner, running, values)? {
                    Some(value) => Ok(Some(value)),
                    None => Err(invalid(
                        "FINAL or RUNNING of this function",
                        "they go with FIRST, LAST and aggregates",
                    )),
                }
            }
            _ => Ok(None),
        }
    }

    /// COUNT(*) and COUNT(A.*).
    fn count_rows(&self, call: &ScalarFunction, running: bool, values: &mut Values) -> Expr {
        let variable = call.args.first().and_then(integer).unwrap_or(-1);
        let set = usize::try_from(variable).ok();
        let set = set.and_then(|at| self.sets.get(at).copied());
        let reference = Reference::Aggregate {
            function: levada_engine::graph::AggregateFunction::Count,
            column: None,
            distinct: false,
            variables: set.unwrap_or(ALL_VARIABLES),
            running,
        };
        values.column(reference, DataType::Int64)
    }

    /// A value of a row.
    fn navigation(&mut self, inner: &Expr, way: Way, values: &mut Values) -> Result<Expr> {
        let (variables, inner) = self.of_rows(inner)?;
        let data_type = inner.1;
        let reference = Reference::Row {
            column: self.column(inner.0),
            variables: variables.unwrap_or(ALL_VARIABLES),
            first: way.first,
            offset: way.offset,
            shift: way.shift,
            running: way.running,
        };
        Ok(values.column(reference, data_type))
    }

    fn aggregate(
        &mut self,
        call: &AggregateCall,
        running: bool,
        values: &mut Values,
    ) -> Result<Expr> {
        let name = call.func.name().to_uppercase();
        let known = |function: &F| matches!(function, F::Count | F::Sum | F::Avg | F::Min | F::Max);
        let function = F::from_name(call.func.name()).filter(known);
        let function = function.ok_or_else(|| {
            invalid(
                &format!("{name} in a pattern"),
                "the aggregates are COUNT, SUM, AVG, MIN and MAX",
            )
        })?;
        let params = &call.params;
        if params.filter.is_some() || !params.order_by.is_empty() || params.args.len() != 1 {
            let what = format!("{name} with FILTER, ORDER BY or several arguments in a pattern");
            return Err(invalid(
                &what,
                "write CASE WHEN … THEN value END as its argument",
            ));
        }
        let condition = values.place == Place::Condition;
        if params.distinct && condition {
            let what = format!("{name}(DISTINCT …) in DEFINE");
            return Err(invalid(
                &what,
                "aggregates over distinct values can stand in MEASURES",
            ));
        }
        // For what its argument cannot be.
        let declared = Expr::AggregateFunction(call.clone()).get_type(&self.schema)?;
        let Some(argument) = params.args.first() else {
            return Err(PlanError::internal("an aggregate without an argument").into());
        };
        let (variables, (argument, own_type)) = self.of_rows(argument)?;
        let (argument, argument_type) = widened(argument, own_type, function);
        let result = match function {
            F::Min | F::Max => argument_type.clone(),
            F::Count => DataType::Int64,
            _ => call
                .func
                .return_type(std::slice::from_ref(&argument_type))?,
        };
        let ordered =
            argument_type.is_numeric() || matches!(argument_type, DataType::Timestamp(..));
        if condition && !ordered && matches!(function, F::Min | F::Max) {
            let shown = SqlType::from_arrow(&argument_type);
            let what = format!("{name} of {shown} in DEFINE");
            return Err(invalid(&what, "conditions aggregate numbers and times"));
        }
        let counts_rows =
            function == F::Count && matches!(argument, Expr::Literal(ref v, _) if !v.is_null());
        let reference = Reference::Aggregate {
            function: function.spec(),
            column: (!counts_rows).then(|| self.column(argument)),
            distinct: params.distinct,
            variables: variables.unwrap_or(ALL_VARIABLES),
            running,
        };
        let value = values.column(reference, result.clone());
        Ok(match result == declared {
            true => value,
            false => cast(value, declared),
        })
    }

    /// An expression over the columns of one row, with the variables whose rows it is about.
    #[allow(clippy::type_complexity)]
    fn of_rows(&self, expr: &Expr) -> Result<(Option<u64>, (Expr, DataType))> {
        let mut sets: Vec<Option<usize>> = Vec::new();
        let mut nested = None;
        expr.apply(|part| {
            match part {
                Expr::Column(column) => {
                    let table = column.relation.as_ref().map(|table| table.table());
                    let set = table.and_then(variable_of);
                    if !sets.contains(&set) {
                        sets.push(set);
                    }
                }
                Expr::AggregateFunction(_) => nested = Some("an aggregate"),
                Expr::ScalarFunction(call) if call.name().starts_with(marks::PREFIX) => {
                    nested = Some("a function of the pattern");
                }
                _ => {}
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
        if let Some(nested) = nested {
            return Err(invalid(
                &format!("{nested} within an aggregate or within FIRST, LAST, PREV or NEXT"),
                "of these only PREV and NEXT of FIRST(…) or LAST(…) go together",
            ));
        }
        if sets.len() > 1 {
            return Err(invalid(
                "an aggregate or FIRST, LAST, PREV or NEXT over columns of two variables",
                "each takes the rows of one variable, or columns without a variable for all rows; SUBSET makes one of several",
            ));
        }
        let data_type = expr.get_type(&self.schema)?;
        let set = sets.first().copied().flatten();
        let over_input = expr.clone().transform_up(|part| match &part {
            Expr::Column(column) => {
                let own = self.input.iter().find(|(own, _)| own.name == column.name);
                let (own, _) = own.ok_or_else(|| PlanError::internal("a column is missing"))?;
                Ok(Transformed::yes(Expr::Column(own.clone())))
            }
            _ => Ok(Transformed::no(part)),
        })?;
        let set = set.and_then(|at| self.sets.get(at).copied());
        Ok((set, (over_input.data, data_type)))
    }

    /// The place of a column among those that references name.
    fn column(&mut self, expr: Expr) -> usize {
        let column = match expr {
            Expr::Column(_) => expr,
            computed => {
                let known = self.computed.iter().find(|(own, _)| *own == computed);
                let name = match known {
                    Some((_, name)) => name.clone(),
                    None => {
                        let name = format!("{}value_{}", marks::PREFIX, self.computed.len());
                        self.computed.push((computed, name.clone()));
                        name
                    }
                };
                Expr::Column(Column::new_unqualified(name))
            }
        };
        let known = self.columns.iter().position(|own| *own == column);
        known.unwrap_or_else(|| {
            self.columns.push(column);
            self.columns.len() - 1
        })
    }
}

/// The argument of a sum in the type that it is summed up in.
fn widened(argument: Expr, own: DataType, function: F) -> (Expr, DataType) {
    let wider = match (&own, function) {
        (DataType::Float16 | DataType::Float32, F::Sum | F::Avg) => DataType::Float64,
        (own, F::Sum | F::Avg) if own.is_integer() => DataType::Int64,
        _ => return (argument, own),
    };
    match wider == own {
        true => (argument, own),
        false => (cast(argument, wider.clone()), wider),
    }
}

/// Where FIRST, LAST, PREV and NEXT lead, and the expression that they are about.
fn walk(call: &ScalarFunction, way: Way) -> Result<(Expr, Way)> {
    let shown = call.name().trim_start_matches(marks::PREFIX).to_uppercase();
    let physical = matches!(call.name(), marks::PREV | marks::NEXT);
    let offset = match call.args.as_slice() {
        [_] => i64::from(physical),
        [_, offset] => {
            let found = integer(offset).filter(|offset| (0..=1_000_000).contains(offset));
            found.ok_or_else(|| {
                invalid(
                    &format!("this offset of {shown}"),
                    "it is a whole number such as 1",
                )
            })?
        }
        _ => {
            return Err(invalid(
                &format!("{shown} with these arguments"),
                "it takes a value and an offset",
            ));
        }
    };
    let Some(inner) = call.args.first() else {
        return Err(PlanError::internal("a navigation without a value").into());
    };
    match call.name() {
        marks::PREV | marks::NEXT => {
            let ahead = call.name() == marks::NEXT;
            let shifted = Way {
                shift: if ahead { offset } else { -offset },
                ..way
            };
            match inner {
                Expr::ScalarFunction(inner)
                    if matches!(inner.name(), marks::FIRST | marks::LAST) =>
                {
                    walk(inner, shifted)
                }
                _ => Ok((inner.clone(), shifted)),
            }
        }
        name => Ok((
            inner.clone(),
            Way {
                first: name == marks::FIRST,
                offset: offset as u32,
                ..way
            },
        )),
    }
}

fn integer(expr: &Expr) -> Option<i64> {
    match expr {
        Expr::Literal(value, _) => match value {
            ScalarValue::Int64(value) => *value,
            ScalarValue::UInt64(value) => value.and_then(|value| i64::try_from(value).ok()),
            ScalarValue::Int32(value) => value.map(i64::from),
            _ => None,
        },
        Expr::Negative(inner) => integer(inner).map(|value| -value),
        Expr::Cast(cast) => integer(&cast.expr),
        _ => None,
    }
}

pub(super) fn invalid(what: &str, hint: &str) -> datafusion::error::DataFusionError {
    let error = PlanError::unsupported(what, None);
    match hint.is_empty() {
        true => error.into(),
        false => error.hint(hint).into(),
    }
}

/// A condition that is not boolean.
pub(super) fn not_boolean(variable: &str, data_type: &DataType) -> PlanError {
    let shown = SqlType::from_arrow(data_type);
    let message = format!("the condition of {variable} is {shown}, not BOOLEAN");
    PlanError::new(PlanErrorKind::TypeMismatch, message)
}

/// The schema of values.
pub(super) fn schema_of(values: &[(Reference, FieldRef)]) -> Result<DFSchema> {
    let fields = values.iter().map(|(_, field)| (None, Arc::clone(field)));
    DFSchema::new_with_metadata(
        fields.collect::<Vec<(Option<TableReference>, Arc<Field>)>>(),
        Default::default(),
    )
}
