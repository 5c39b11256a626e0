//! Aggregations: by window where the keys are those of a window, else for ever.
//!
//! Three shapes are told apart:
//! 1. GROUP BY the `window_start` and `window_end` of a window table function: a window
//!    aggregate. What stands between the two is moved below the window, or above the aggregate
//!    if it is about the window alone.
//! 2. GROUP BY the `window_start` and `window_end` that an earlier window aggregate gave: again
//!    a window aggregate, with windows of one instant on the earlier `window_time`.
//! 3. Anything else: a group aggregate, which updates, unless the rows of a group are all those of a window of so many
//!    rows, which come at once.
//!
//! With GROUPING SETS each row comes once for each set ([`sets`]), behind the choice of the shape.
//!
//! Keys and arguments become plain columns of a calc in front.

mod grouping;
mod scope;
mod sessions;
mod sets;

use std::sync::Arc;

use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Aggregate, Operator};
use datafusion::physical_expr::expressions::{BinaryExpr, Literal};
use levada_engine::element::ChangelogMode;

use grouping::Grouping;
pub(super) use grouping::without_widening;
use scope::{KeySource, Scope, check_session_keys, check_session_sets, window_column};

use super::assign_window::Shape;
use super::build::Builder;
use super::expression::{self, ExprRef};
use super::{
    AssignWindow, Attribute, Calc, Call, GroupAggregate, NodeId, NodeKind, WindowAggregate,
};
use levada_language::error::PlanError;

impl Builder<'_> {
    pub(super) fn aggregate(&mut self, aggregate: &Aggregate) -> Result<NodeId, PlanError> {
        let input = self.query(&aggregate.input)?;
        let grouping = self.grouping(aggregate)?;
        self.input_ttl = self.state_ttls.of_input(&aggregate.input);
        let id = self.aggregate_sets(input, grouping, aggregate.schema.fields());
        self.input_ttl = None;
        id
    }

    /// An aggregation, of several sets at most such that have keys.
    fn aggregate_over(&mut self, input: NodeId, grouping: Grouping) -> Result<NodeId, PlanError> {
        if let Some((window_node, calc)) = self.window_below(input)? {
            let over = grouping.over(&calc)?;
            if over.names_window(self.width_below(window_node)?) {
                return self.window_aggregate(window_node, calc.filter, over);
            }
        }
        if let Some(end) = self.earlier_window(input, &grouping)? {
            return self.cascaded_aggregate(input, grouping, end);
        }
        self.group_aggregate(input, grouping)
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
        let (mut below, mut grouping, mut chosen) = (below, grouping, None);
        if assign.window.is_session() && self.early_updates {
            return Err(PlanError::unsupported("early results of SESSION windows", location).hint(
                "SET 'table.exec.emit.early-fire.enabled' = 'false' for this query; or use TUMBLE, HOP or CUMULATE",
            ));
        }
        if assign.window.is_session() {
            check_session_keys(&assign.session_keys, &split.keys, location)?;
            check_session_sets(&grouping, location)?;
            (below, chosen) = sessions::split(below, &assign.session_keys);
        }
        if let Some(chosen) = &chosen {
            grouping = sessions::of_chosen(grouping, chosen)?;
        }
        let time = assign
            .time
            .map(|index| self.column_of(source, index))
            .transpose()?;
        let mut sources = split.sources;
        let inner = Grouping {
            keys: split.keys,
            key_names: split.names,
            sets: grouping.sets.map(|sets| sets.with_keys(&split.places)),
            ..grouping
        };
        if inner.sets.is_some() {
            sources.push(KeySource::Key(inner.keys.len()));
        }
        let (input, materialised) = self.materialise(source, below, &inner, time)?;
        let node = WindowAggregate {
            window: assign.window,
            time: materialised.time,
            time_type: assign.time_type,
            keys: materialised.keys,
            calls: materialised.calls,
        };
        let id = self.finish_window(node, input, sources, above, &inner.names)?;
        match chosen {
            Some(_) => self.with_chosen(id),
            None => Ok(id),
        }
    }

    /// Shape 2. `end` is the `window_end` of the earlier window; its `window_start` is a key.
    fn cascaded_aggregate(
        &mut self,
        input: NodeId,
        grouping: Grouping,
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
        let mut places = Vec::new();
        let named = grouping.keys.iter().zip(&grouping.key_names);
        for (place, (key, name)) in named.enumerate() {
            let attribute = match expression::as_column(key) {
                Some(index) if grouping.always(place) => self.properties(input)?.attribute(index),
                _ => Attribute::None,
            };
            sources.push(match attribute {
                Attribute::WindowEnd(_) => KeySource::Window(window_column(1)),
                Attribute::WindowTime(_) => KeySource::Window(window_column(2)),
                _ => {
                    keys.push(Arc::clone(key));
                    key_names.push(name.clone());
                    places.push(place);
                    KeySource::Key(keys.len() - 1)
                }
            });
        }
        if grouping.sets.is_some() {
            sources.push(KeySource::Key(keys.len()));
        }
        let names = grouping.names.clone();
        let inner = Grouping {
            keys,
            key_names,
            sets: grouping.sets.map(|sets| sets.with_keys(&places)),
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
        let whole = grouping.sets.is_none() && self.are_of_count_window(input, &grouping.keys)?;
        let (input, materialised) = self.materialise(input, None, &grouping, None)?;
        let node = GroupAggregate {
            keys: materialised.keys,
            calls: materialised.calls,
            emit_update_before: true,
            ttl_ms: self.input_ttl.map(|ttl| self.state_ttls.heed(ttl)),
            whole,
        };
        let mut properties = node.properties(self.properties(input)?)?;
        // What is the same for all rows tells none apart.
        let varies = |key: &ExprRef| key.downcast_ref::<Literal>().is_none();
        let keys = grouping.keys.iter().enumerate();
        let keys = keys.filter(|(_, key)| varies(key)).map(|(place, _)| place);
        let keys = keys.chain(grouping.sets.is_some().then_some(grouping.keys.len()));
        properties.keys = vec![keys.collect()];
        let schema = Arc::clone(&properties.schema);
        let id = self
            .plan
            .add(NodeKind::GroupAggregate(node), vec![input], properties);
        self.calc(id, None, expression::all_columns(&schema), names)
    }

    /// Groups of equal rows, with how many there are: for ever.
    pub(super) fn counted(&mut self, input: NodeId) -> Result<NodeId, PlanError> {
        let width = self.properties(input)?.schema.fields().len();
        let node = GroupAggregate {
            keys: (0..width).collect(),
            calls: vec![Call::count()],
            emit_update_before: true,
            ttl_ms: Some(0),
            whole: false,
        };
        let properties = node.properties(self.properties(input)?)?;
        let kind = NodeKind::GroupAggregate(node);
        Ok(self.plan.add(kind, vec![input], properties))
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

    /// The `window_end` of an earlier window whose borders are both among the keys.
    fn earlier_window(
        &self,
        input: NodeId,
        grouping: &Grouping,
    ) -> Result<Option<usize>, PlanError> {
        let properties = self.properties(input)?;
        let keys = grouping.keys.iter().enumerate();
        let keys = keys.filter(|(place, _)| grouping.always(*place));
        let columns: Vec<usize> = keys
            .filter_map(|(_, key)| expression::as_column(key))
            .collect();
        for start in &columns {
            let Attribute::WindowStart(window) = properties.attribute(*start) else {
                continue;
            };
            let end = columns
                .iter()
                .find(|c| properties.attribute(**c) == Attribute::WindowEnd(window));
            if let Some(end) = end {
                return Ok(Some(*end));
            }
        }
        Ok(None)
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
        let mut properties = node.properties(self.properties(input)?, own)?;
        if self.early_updates || (self.late_updates && node.time.is_some()) {
            properties.updating = true;
            properties.mode = ChangelogMode::Retract;
        }
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
