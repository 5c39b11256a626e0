//! Aggregations: by window where the keys are those of a window, else for ever.
//!
//! Three shapes are told apart:
//! 1. GROUP BY the `window_start` and `window_end` of a window table function: a window
//!    aggregate. What stands between the two is moved below the window, or above the aggregate
//!    if it is about the window alone.
//! 2. GROUP BY the `window_start` and `window_end` that an earlier window aggregate gave: again
//!    a window aggregate, with windows of one instant on the earlier `window_time`.
//! 3. Anything else: a group aggregate, which updates.
//!
//! Keys and arguments become plain columns of a calc in front.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::datatypes::{DataType, Schema};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::{Aggregate, Expr, Operator};
use datafusion::physical_expr::expressions::{BinaryExpr, Literal};
use datafusion::physical_expr::utils::split_conjunction;

use super::assign_window::Shape;
use super::build::{Builder, names};
use super::calc::and;
use super::expression::{self, ExprRef};
use super::group_aggregate::{Call, Function};
use super::{AssignWindow, Attribute, Calc, GroupAggregate, NodeId, NodeKind, WindowAggregate};
use crate::error::{Location, PlanError, PlanErrorKind};

/// An aggregate call before its argument is a column.
struct RawCall {
    function: Function,
    distinct: bool,
    argument: Option<ExprRef>,
    filter: Option<ExprRef>,
    argument_type: DataType,
    result_type: DataType,
}

impl RawCall {
    /// For people and for ids, such as `SUM(DISTINCT price)`.
    fn shown(&self) -> String {
        let name = format!("{:?}", self.function).to_uppercase();
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
struct Grouping {
    keys: Vec<ExprRef>,
    key_names: Vec<String>,
    calls: Vec<RawCall>,
    /// The names of the output: keys, then calls.
    names: Vec<String>,
}

/// Where a key of the query comes from after a window aggregate.
enum KeySource {
    /// A key of the aggregate, by position.
    Key(usize),
    /// An expression over `window_start`, `window_end`, `window_time` (columns 0, 1 and 2).
    Window(ExprRef),
}

impl Builder<'_> {
    pub(super) fn aggregate(&mut self, aggregate: &Aggregate) -> Result<NodeId, PlanError> {
        let input = self.query(&aggregate.input)?;
        let grouping = self.grouping(aggregate)?;
        if let Some((window_node, calc)) = self.window_below(input)? {
            let over = grouping.over(&calc)?;
            if over.names_window(self.width_below(window_node)?) {
                return self.window_aggregate(window_node, calc.filter, over);
            }
        }
        if let Some((start, end)) = self.earlier_window(input, &grouping)? {
            return self.cascaded_aggregate(input, grouping, start, end);
        }
        self.group_aggregate(input, grouping)
    }

    fn grouping(&self, aggregate: &Aggregate) -> Result<Grouping, PlanError> {
        let mut keys = Vec::new();
        for expr in &aggregate.group_expr {
            if matches!(expr, Expr::GroupingSet(_)) {
                return Err(PlanError::unsupported("GROUPING SETS on streams", None));
            }
            keys.push(self.expression(expr, &aggregate.input)?);
        }
        let fields = aggregate.schema.fields();
        let result_fields = fields.iter().skip(keys.len());
        let calls = aggregate
            .aggr_expr
            .iter()
            .zip(result_fields)
            .map(|(expr, field)| self.call(expr, aggregate, field.data_type()))
            .collect::<Result<Vec<_>, _>>()?;
        let names = names(fields);
        Ok(Grouping {
            key_names: keys.iter().zip(&names).map(|(key, name)| key_name(key, name)).collect(),
            keys,
            calls,
            names,
        })
    }

    fn call(
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
            [argument] => Some(self.expression(argument, &aggregate.input)?),
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
        Ok(RawCall {
            function: which,
            // MIN and MAX do not care about repetition.
            distinct: params.distinct && !matches!(which, Function::Min | Function::Max),
            argument,
            filter,
            argument_type,
            result_type: result_type.clone(),
        })
    }

    /// The window table function under the input and the calc between, if there is one.
    fn window_below(&self, input: NodeId) -> Result<Option<(NodeId, Calc)>, PlanError> {
        let schema = Arc::clone(&self.properties(input)?.schema);
        let mut calc = Calc {
            filter: None,
            projection: expression::all_columns(&schema),
        };
        let mut id = input;
        while let Some(node) = self.plan.node(id) {
            match &node.kind {
                NodeKind::AssignWindow(_) => return Ok(Some((id, calc))),
                NodeKind::Calc(inner) => {
                    let varies = inner.projection.iter().any(expression::varies);
                    let [below] = node.inputs.as_slice() else {
                        return Ok(None);
                    };
                    if varies {
                        return Ok(None);
                    }
                    calc = calc.forced_after(inner)?;
                    id = *below;
                }
                _ => return Ok(None),
            }
        }
        Ok(None)
    }

    /// How many columns stand in front of the window's own.
    fn width_below(&self, window_node: NodeId) -> Result<usize, PlanError> {
        Ok(self
            .properties(window_node)?
            .schema
            .fields()
            .len()
            .saturating_sub(3))
    }

    /// Shape 1. `grouping` and `filter` are over the window node's columns.
    fn window_aggregate(
        &mut self,
        window_node: NodeId,
        filter: Option<ExprRef>,
        grouping: Grouping,
    ) -> Result<NodeId, PlanError> {
        let (assign, source) = self.assign_window(window_node)?;
        let location = self.plan.location(window_node);
        let width = self.width_below(window_node)?;
        let scope = Scope { width, location };
        let (below, above) = scope.split_filter(filter)?;
        let split = scope.split_keys(&grouping)?;
        grouping
            .calls
            .iter()
            .try_for_each(|call| scope.check_call(call))?;
        if assign.window.is_session() {
            check_session_keys(&assign.session_keys, &split.keys, location)?;
        }
        let time = assign
            .time
            .map(|index| self.column_of(source, index))
            .transpose()?;
        let sources = split.sources;
        let inner = Grouping {
            keys: split.keys,
            key_names: split.names,
            ..grouping
        };
        let (input, materialised) = self.materialise(source, below, &inner, time)?;
        let node = WindowAggregate {
            window: assign.window,
            time: materialised.time,
            time_type: assign.time_type,
            keys: materialised.keys,
            calls: materialised.calls,
        };
        self.finish_window(node, input, sources, above, &inner.names)
    }

    /// Shape 2. `start` and `end` are the columns of the earlier window.
    fn cascaded_aggregate(
        &mut self,
        input: NodeId,
        grouping: Grouping,
        start: usize,
        end: usize,
    ) -> Result<NodeId, PlanError> {
        let schema = Arc::clone(&self.properties(input)?.schema);
        let end_column = expression::column(&schema, end)?;
        let time_type = end_column.data_type(&schema)?;
        let last_instant: ExprRef = Arc::new(BinaryExpr::new(
            end_column,
            Operator::Minus,
            Arc::new(Literal::new(ScalarValue::new_interval_mdn(0, 0, 1_000_000))),
        ));
        let mut keys = Vec::new();
        let mut key_names = Vec::new();
        let mut sources = Vec::new();
        for (key, name) in grouping.keys.iter().zip(&grouping.key_names) {
            let attribute = match expression::as_column(key) {
                Some(index) => self.properties(input)?.attribute(index),
                None => Attribute::None,
            };
            sources.push(match attribute {
                Attribute::WindowEnd(_) => KeySource::Window(window_column(1)),
                Attribute::WindowTime(_) => KeySource::Window(window_column(2)),
                _ => {
                    keys.push(Arc::clone(key));
                    key_names.push(name.clone());
                    KeySource::Key(keys.len() - 1)
                }
            });
        }
        let _ = start;
        let names = grouping.names.clone();
        let inner = Grouping {
            keys,
            key_names,
            ..grouping
        };
        let (input, materialised) = self.materialise(input, None, &inner, Some(last_instant))?;
        let node = WindowAggregate {
            window: Shape::instant(),
            time: materialised.time,
            time_type,
            keys: materialised.keys,
            calls: materialised.calls,
        };
        self.finish_window(node, input, sources, None, &names)
    }

    /// Shape 3.
    fn group_aggregate(&mut self, input: NodeId, grouping: Grouping) -> Result<NodeId, PlanError> {
        let names = grouping.names.clone();
        let (input, materialised) = self.materialise(input, None, &grouping, None)?;
        let node = GroupAggregate {
            keys: materialised.keys,
            calls: materialised.calls,
            emit_update_before: true,
        };
        let properties = node.properties(self.properties(input)?)?;
        let schema = Arc::clone(&properties.schema);
        let id = self
            .plan
            .add(NodeKind::GroupAggregate(node), vec![input], properties);
        self.calc(id, None, expression::all_columns(&schema), names)
    }

    fn assign_window(&self, id: NodeId) -> Result<(AssignWindow, NodeId), PlanError> {
        let node = self.plan.node(id);
        match node.map(|node| (&node.kind, node.inputs.as_slice())) {
            Some((NodeKind::AssignWindow(assign), [input])) => Ok((assign.clone(), *input)),
            _ => Err(PlanError::internal(
                "a window node is not where it should be",
            )),
        }
    }

    fn column_of(&self, node: NodeId, index: usize) -> Result<ExprRef, PlanError> {
        expression::column(&self.properties(node)?.schema, index)
    }

    /// The columns of an earlier window that are both among the keys.
    fn earlier_window(
        &self,
        input: NodeId,
        grouping: &Grouping,
    ) -> Result<Option<(usize, usize)>, PlanError> {
        let properties = self.properties(input)?;
        let columns: Vec<usize> = grouping
            .keys
            .iter()
            .filter_map(expression::as_column)
            .collect();
        for start in &columns {
            let Attribute::WindowStart(window) = properties.attribute(*start) else {
                continue;
            };
            let end = columns
                .iter()
                .find(|c| properties.attribute(**c) == Attribute::WindowEnd(window));
            if let Some(end) = end {
                return Ok(Some((*start, *end)));
            }
        }
        Ok(None)
    }

    /// A calc that computes keys, arguments, conditions and time, each once.
    fn materialise(
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
        let mut calls = Vec::new();
        for call in &grouping.calls {
            let mut place = |expr: &ExprRef| columns.place(expr);
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
        let time = time.as_ref().map(|expr| columns.place(expr));
        if columns.exprs.is_empty() {
            columns.place_anything(&self.properties(input)?.schema);
        }
        let id = self.calc(input, filter, columns.exprs, columns.names)?;
        let keys = (0..grouping.keys.len()).collect();
        Ok((id, Materialised { keys, calls, time }))
    }

    /// Adds the window aggregate, and above it a calc that puts the columns in their order.
    fn finish_window(
        &mut self,
        node: WindowAggregate,
        input: NodeId,
        sources: Vec<KeySource>,
        filter: Option<ExprRef>,
        names: &[String],
    ) -> Result<NodeId, PlanError> {
        let own = self.plan.next_id();
        let properties = node.properties(self.properties(input)?, own)?;
        let schema = Arc::clone(&properties.schema);
        let (keys, calls) = (node.keys.len(), node.calls.len());
        let window: Vec<ExprRef> = (0..3)
            .map(|n| expression::column(&schema, keys + calls + n))
            .collect::<Result<_, _>>()?;
        let id = self
            .plan
            .add(NodeKind::WindowAggregate(node), vec![input], properties);
        let mut projection = Vec::new();
        for source in &sources {
            projection.push(match source {
                KeySource::Key(index) => expression::column(&schema, *index)?,
                KeySource::Window(expr) => expression::substitute(expr, &window)?,
            });
        }
        for index in keys..keys + calls {
            projection.push(expression::column(&schema, index)?);
        }
        let filter = filter
            .map(|f| expression::substitute(&f, &window))
            .transpose()?;
        self.calc(id, filter, projection, names.to_vec())
    }
}

/// Where the calc in front of an aggregation put things.
struct Materialised {
    keys: Vec<usize>,
    calls: Vec<Call>,
    time: Option<usize>,
}

/// The columns of that calc.
#[derive(Default)]
struct Columns {
    exprs: Vec<ExprRef>,
    names: Vec<String>,
}

impl Columns {
    fn push(&mut self, expr: ExprRef, name: String) -> usize {
        self.exprs.push(expr);
        self.names.push(name);
        self.exprs.len() - 1
    }

    /// The place of an expression, which may be there already.
    fn place(&mut self, expr: &ExprRef) -> usize {
        match self.exprs.iter().position(|known| known == expr) {
            Some(index) => index,
            None => self.push(Arc::clone(expr), expression::text(expr)),
        }
    }

    /// COUNT(*) alone needs rows, not columns; a batch needs a column all the same.
    fn place_anything(&mut self, schema: &Schema) {
        let Some(field) = schema.fields().first() else {
            return;
        };
        let nothing = Literal::new(ScalarValue::Boolean(Some(true)));
        let _ = field;
        self.push(Arc::new(nothing), "row".to_string());
    }
}

impl Grouping {
    /// The same over the input of `calc`.
    fn over(&self, calc: &Calc) -> Result<Grouping, PlanError> {
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
        })
    }

    /// Whether both borders of the window that starts at column `width` are keys.
    fn names_window(&self, width: usize) -> bool {
        let has = |column| {
            self.keys
                .iter()
                .any(|k| expression::as_column(k) == Some(column))
        };
        has(width) && has(width + 1)
    }
}

/// The keys of a query over a window.
#[derive(Default)]
struct SplitKeys {
    /// Those about rows.
    keys: Vec<ExprRef>,
    /// Their names.
    names: Vec<String>,
    /// Where each key of the query is found.
    sources: Vec<KeySource>,
}

/// The columns of a window node: `width` of the row, then three of the window.
struct Scope {
    width: usize,
    location: Option<Location>,
}

impl Scope {
    fn is_row(&self, columns: &BTreeSet<usize>) -> bool {
        columns.iter().all(|c| *c < self.width)
    }

    fn is_window(&self, columns: &BTreeSet<usize>) -> bool {
        columns.iter().all(|c| *c >= self.width)
    }

    /// Over `window_start`, `window_end` and `window_time` as columns 0, 1 and 2.
    fn over_window(&self, expr: &ExprRef) -> Result<ExprRef, PlanError> {
        let before = (0..self.width).map(|_| window_column(0));
        let columns: Vec<ExprRef> = before.chain((0..3).map(window_column)).collect();
        expression::substitute(expr, &columns)
    }

    /// The part of a condition about rows, and the part about windows.
    fn split_filter(
        &self,
        filter: Option<ExprRef>,
    ) -> Result<(Option<ExprRef>, Option<ExprRef>), PlanError> {
        let (mut below, mut above) = (None, None);
        let Some(filter) = filter else {
            return Ok((below, above));
        };
        for part in split_conjunction(&filter) {
            let columns = expression::columns_of(part);
            if self.is_row(&columns) {
                below = and(below, Some(Arc::clone(part)));
            } else if self.is_window(&columns) {
                above = and(above, Some(self.over_window(part)?));
            } else {
                return Err(self.mixed("a condition"));
            }
        }
        Ok((below, above))
    }

    fn split_keys(&self, grouping: &Grouping) -> Result<SplitKeys, PlanError> {
        let mut split = SplitKeys::default();
        for (key, name) in grouping.keys.iter().zip(&grouping.key_names) {
            let columns = expression::columns_of(key);
            if self.is_row(&columns) {
                split.sources.push(KeySource::Key(split.keys.len()));
                split.keys.push(Arc::clone(key));
                split.names.push(name.clone());
            } else if self.is_window(&columns) {
                split
                    .sources
                    .push(KeySource::Window(self.over_window(key)?));
            } else {
                return Err(self.mixed("a key"));
            }
        }
        Ok(split)
    }

    fn check_call(&self, call: &RawCall) -> Result<(), PlanError> {
        let parts = call.argument.iter().chain(&call.filter);
        for part in parts {
            if !self.is_row(&expression::columns_of(part)) {
                return Err(self.mixed("an aggregate"));
            }
        }
        Ok(())
    }

    fn mixed(&self, what: &str) -> PlanError {
        PlanError::unsupported(
            format!("{what} over columns of the window in the same SELECT as the window"),
            self.location,
        )
        .hint("compute it in an outer SELECT, from the result of the aggregation")
    }
}

/// `window_start`, `window_end` or `window_time` in an expression about a window.
fn window_column(index: usize) -> ExprRef {
    use datafusion::physical_expr::expressions::Column;
    Arc::new(Column::new("window", index))
}

/// Sessions are found by their own keys, so rows must be grouped by just these.
fn check_session_keys(
    session: &[ExprRef],
    keys: &[ExprRef],
    location: Option<Location>,
) -> Result<(), PlanError> {
    let same = session.iter().all(|key| keys.contains(key))
        && keys.iter().all(|key| session.contains(key));
    if same {
        return Ok(());
    }
    let shown = |exprs: &[ExprRef]| match exprs {
        [] => "none".to_string(),
        some => some
            .iter()
            .map(expression::text)
            .collect::<Vec<_>>()
            .join(", "),
    };
    Err(PlanError::new(
        PlanErrorKind::InvalidWindow,
        format!(
            "the keys of SESSION ({}) and of GROUP BY ({}) differ",
            shown(session),
            shown(keys)
        ),
    )
    .hint("write SESSION(TABLE t PARTITION BY k, …) with the keys that GROUP BY has beside the window")
    .at(location))
}

/// A column keeps its name; an expression is called after what it does, not after the alias of
/// the table that it reads, because ids of operators depend on it.
fn key_name(key: &ExprRef, name: &str) -> String {
    match expression::as_column(key) {
        Some(_) => name.to_string(),
        None => expression::text(key),
    }
}

fn supported(function: &AggregateFunction) -> Result<Function, PlanError> {
    let name = function.func.name();
    let unsupported = |what: String| {
        Err(PlanError::unsupported(format!("{what} on streams"), None)
            .hint("streams know COUNT, SUM, MIN, MAX and AVG"))
    };
    let Some(which) = Function::from_name(name) else {
        return unsupported(format!("the aggregate {}", name.to_uppercase()));
    };
    if !function.params.order_by.is_empty() {
        return unsupported(format!("ORDER BY in {}", name.to_uppercase()));
    }
    Ok(which)
}
