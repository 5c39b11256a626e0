//! From the logical plan to nodes.
//!
//! Column `i` of a logical node is column `i` of the node that is built for it, so expressions
//! need no names. Every scan is read through a calc, which is what makes pruning local.

use std::sync::Arc;

use datafusion::logical_expr::{
    EmptyRelation, Expr, Filter, LogicalPlan, Projection, TableScan, Union,
};
use levada_engine::connector::ConnectorRegistry;

use super::assign_window::Shape;
use super::calc::is_proctime;
use super::expression::{self, ExprRef};
use super::lookup_hints::LookupHints;
use super::ranking::Ranked;
use super::state_ttl::{StateTtls, Ttl};
use super::{
    AssignWindow, Attribute, Calc, ChangelogNormalize, Node, NodeId, NodeKind, Plan, Properties,
    Scan, Sink, UpsertMaterialization, Values,
};
use crate::catalog::Lookup;
use crate::logical::{
    CatalogTable, ChangelogTable, CountWindowTable, OverCall, PatternTable, ReadAs, Resolver,
    TemporalJoin, UnnestTable, WindowTable, first_join, first_order_by, over_calls,
};
use crate::parser::Query;
use levada_language::error::{Location, PlanError, PlanErrorKind};

/// Builds the nodes of one job.
pub struct Builder<'a> {
    pub(super) resolver: &'a Resolver,
    connectors: &'a ConnectorRegistry,
    /// Whether event-time windows take late rows, and so change what they have given.
    pub(super) late_updates: bool,
    /// Whether windows give results before they end, and change them.
    pub(super) early_updates: bool,
    /// When rows are kept by the PRIMARY KEY of the table that they go to.
    pub(super) materialization: UpsertMaterialization,
    /// Where the query has its first join.
    pub(super) first_join: Option<Location>,
    /// Where the query has its first ORDER BY without LIMIT.
    pub(super) first_order_by: Option<Location>,
    /// The calls of functions with OVER in the query.
    pub(super) over_calls: Vec<OverCall>,
    /// What hints say of how long state lives.
    pub(super) state_ttls: StateTtls,
    /// The same, of the input of the aggregation that is built.
    pub(super) input_ttl: Option<Ttl>,
    /// What hints say of how tables are asked by key.
    pub(super) lookup_hints: LookupHints,
    /// Which windows of the logical plan became ranks, and which of them nothing limits.
    pub(super) ranked: Ranked,
    pub(super) plan: Plan,
}

impl<'a> Builder<'a> {
    /// A builder of an empty plan. `allowed_lateness_ms` is how long windows take late rows.
    pub fn new(
        resolver: &'a Resolver,
        connectors: &'a ConnectorRegistry,
        allowed_lateness_ms: i64,
        materialization: UpsertMaterialization,
    ) -> Self {
        Builder {
            resolver,
            connectors,
            late_updates: allowed_lateness_ms > 0,
            early_updates: false,
            materialization,
            first_join: None,
            first_order_by: None,
            over_calls: Vec::new(),
            state_ttls: StateTtls::default(),
            lookup_hints: LookupHints::default(),
            input_ttl: None,
            ranked: Ranked::default(),
            plan: Plan::new(),
        }
    }

    /// The same, for windows that give results before they end, or do not.
    #[must_use]
    pub fn with_early_results(self, early_updates: bool) -> Self {
        Builder {
            early_updates,
            ..self
        }
    }

    /// Says which query comes next, for its hints and for the positions of what is refused.
    ///
    /// # Errors
    /// A hint is malformed.
    pub fn of_query(&mut self, query: &Query, lookup: &Lookup<'_>) -> Result<&mut Self, PlanError> {
        self.first_join = first_join(query);
        self.first_order_by = first_order_by(query);
        self.over_calls = over_calls(query, lookup);
        self.state_ttls = StateTtls::of(query, lookup)?;
        self.lookup_hints = LookupHints::of(query, lookup)?;
        Ok(self)
    }

    /// The plan so far.
    pub fn finish(self) -> Plan {
        self.plan
    }

    /// Adds a query whose rows go to the client.
    ///
    /// # Errors
    /// See [`Builder::query`].
    pub fn collect(&mut self, logical: &LogicalPlan) -> Result<NodeId, PlanError> {
        let input = self.whole_query(logical)?;
        let properties = self.properties(input)?.clone();
        Ok(self.output(NodeKind::Collect, input, properties))
    }

    /// Adds a query whose rows go into a table. Its columns are those of the table already.
    ///
    /// # Errors
    /// See [`Builder::query`].
    pub fn insert(&mut self, logical: &LogicalPlan, sink: Sink) -> Result<NodeId, PlanError> {
        let rows = self.whole_query(logical)?;
        let input = self.materialized(rows, &sink)?;
        let properties = self.properties(input)?.clone();
        Ok(self.output(NodeKind::Sink(sink), input, properties))
    }

    /// Adds a query whose rows are kept as they are, in groups that count equal ones. Its columns are those of the
    /// sink, which gets the changes of these groups.
    ///
    /// # Errors
    /// See [`Builder::query`]; also when rows could not be found again that go.
    pub fn keep(&mut self, logical: &LogicalPlan, sink: Sink) -> Result<NodeId, PlanError> {
        let rows = self.whole_query(logical)?;
        if self.properties(rows)?.updating && self.varies_below(rows) {
            return Err(super::upsert_materialize::varying(&sink));
        }
        let counted = self.counted(rows)?;
        let properties = self.properties(counted)?.clone();
        Ok(self.output(NodeKind::Sink(sink), counted, properties))
    }

    /// Only when all is built it is known which ranks nothing limits; then it is built again without these.
    fn whole_query(&mut self, logical: &LogicalPlan) -> Result<NodeId, PlanError> {
        self.ranked = Ranked::default();
        let id = self.settled_query(logical)?;
        self.state_ttls.check_heeded()?;
        self.lookup_hints.check_heeded()?;
        Ok(id)
    }

    /// The same as [`Builder::query`] for one behind which nothing can limit ranks any more.
    pub(super) fn settled_query(&mut self, logical: &LogicalPlan) -> Result<NodeId, PlanError> {
        loop {
            let id = self.query(logical)?;
            if !self.give_up_unlimited(id) {
                return Ok(id);
            }
        }
    }

    fn output(&mut self, kind: NodeKind, input: NodeId, properties: Properties) -> NodeId {
        self.plan.add_output(Node {
            kind,
            inputs: vec![input],
            properties: Properties { ..properties },
        })
    }

    /// The node that produces the rows of a logical plan.
    ///
    /// # Errors
    /// The plan has something that streams do not support.
    pub fn query(&mut self, logical: &LogicalPlan) -> Result<NodeId, PlanError> {
        match logical {
            LogicalPlan::TableScan(scan) => self.scan(scan),
            LogicalPlan::Projection(projection) => self.projection(projection),
            LogicalPlan::Filter(filter) => self.filter(filter),
            LogicalPlan::SubqueryAlias(alias) => self.query(&alias.input),
            LogicalPlan::Union(union) => self.union(union),
            LogicalPlan::Values(values) => {
                let rows = Values::evaluate(self.resolver, &values.values, &values.schema)?;
                Ok(self.values(rows))
            }
            LogicalPlan::EmptyRelation(empty) => self.empty(empty),
            LogicalPlan::Aggregate(aggregate) => self.aggregate(aggregate),
            LogicalPlan::Join(join) => self.join(join),
            LogicalPlan::Window(window) => self.window(window),
            LogicalPlan::Limit(limit) => self.limit(limit),
            LogicalPlan::Sort(sort) => self.sort(sort),
            LogicalPlan::Extension(extension) => {
                let node = extension.node.as_any();
                if let Some(table) = node.downcast_ref::<UnnestTable>() {
                    return self.unnest(table);
                }
                if let Some(table) = node.downcast_ref::<PatternTable>() {
                    return self.pattern(table);
                }
                if let Some(table) = node.downcast_ref::<CountWindowTable>() {
                    return self.count_window(table);
                }
                if let Some(table) = node.downcast_ref::<ChangelogTable>() {
                    return self.changelog_table(table);
                }
                if let Some(window) = node.downcast_ref::<WindowTable>() {
                    return self.window_table(window);
                }
                match node.downcast_ref::<TemporalJoin>() {
                    Some(join) => self.temporal_join(join),
                    None => Err(PlanError::internal(format!(
                        "the plan has the unknown node {}",
                        extension.node.name()
                    ))),
                }
            }
            other => Err(unsupported(other)),
        }
    }

    pub(super) fn properties(&self, id: NodeId) -> Result<&Properties, PlanError> {
        match self.plan.node(id) {
            Some(node) => Ok(&node.properties),
            None => Err(PlanError::internal(format!("there is no node {id}"))),
        }
    }

    /// An expression over the columns of a logical input.
    pub(super) fn expression(
        &self,
        expr: &Expr,
        input: &LogicalPlan,
    ) -> Result<ExprRef, PlanError> {
        self.resolver.physical(expr, input.schema())
    }

    fn scan(&mut self, scan: &TableScan) -> Result<NodeId, PlanError> {
        let Some(table) = CatalogTable::of(&scan.source) else {
            return Err(PlanError::unsupported(
                format!("reading {} on streams", scan.table_name),
                None,
            ));
        };
        let changes = table.read_as == ReadAs::Changes;
        let node = Scan::new(Arc::clone(&table.table), changes, self.connectors)?;
        let properties = node.properties(self.resolver)?;
        let schema = Arc::clone(&properties.schema);
        let normalize = ChangelogNormalize::behind(&node)?.filter(|_| !node.changes);
        let normalized = normalize.as_ref().map(|n| n.properties(&properties));
        let mut id = self.plan.add(NodeKind::Scan(node), vec![], properties);
        if let (Some(node), Some(properties)) = (normalize, normalized) {
            let kind = NodeKind::ChangelogNormalize(node);
            id = self.plan.add(kind, vec![id], properties);
        }
        let projection = match &scan.projection {
            Some(columns) => columns
                .iter()
                .map(|index| expression::column(&schema, *index))
                .collect::<Result<Vec<_>, _>>()?,
            None => expression::all_columns(&schema),
        };
        let names = names(scan.projected_schema.fields());
        self.calc(id, None, projection, names)
    }

    fn projection(&mut self, projection: &Projection) -> Result<NodeId, PlanError> {
        let input = self.query(&projection.input)?;
        self.project(projection, input)
    }

    /// A projection whose input is there already.
    pub(super) fn project(
        &mut self,
        projection: &Projection,
        input: NodeId,
    ) -> Result<NodeId, PlanError> {
        let exprs = projection
            .expr
            .iter()
            .map(|expr| self.expression(expr, &projection.input))
            .collect::<Result<Vec<_>, _>>()?;
        self.calc(input, None, exprs, names(projection.schema.fields()))
    }

    fn filter(&mut self, filter: &Filter) -> Result<NodeId, PlanError> {
        let input = self.query(&filter.input)?;
        let condition = self.expression(&filter.predicate, &filter.input)?;
        let schema = Arc::clone(&self.properties(input)?.schema);
        let columns = expression::all_columns(&schema);
        self.calc(input, Some(condition), columns, names(schema.fields()))
    }

    /// Adds a calc, merged with one below it where that costs nothing. What its condition says about the
    /// numbers of ranked rows becomes the limit of the rank.
    pub(super) fn calc(
        &mut self,
        input: NodeId,
        filter: Option<ExprRef>,
        projection: Vec<ExprRef>,
        names: Vec<String>,
    ) -> Result<NodeId, PlanError> {
        let (input, filter) = self.limited(input, filter)?;
        let calc = Calc { filter, projection };
        let below = self.plan.node(input).and_then(|node| match &node.kind {
            NodeKind::Calc(inner) => Some((inner.clone(), node.inputs.clone())),
            _ => None,
        });
        if let Some((inner, inputs)) = below
            && let Some(merged) = calc.after(&inner)?
            && let [source] = inputs.as_slice()
        {
            return self.add_calc(merged, *source, &names);
        }
        self.add_calc(calc, input, &names)
    }

    pub(super) fn add_calc(
        &mut self,
        calc: Calc,
        input: NodeId,
        names: &[String],
    ) -> Result<NodeId, PlanError> {
        let properties = calc.properties(names, self.properties(input)?)?;
        Ok(self.plan.add(NodeKind::Calc(calc), vec![input], properties))
    }

    pub(super) fn values(&mut self, values: Values) -> NodeId {
        let properties = values.properties();
        self.plan.add(NodeKind::Values(values), vec![], properties)
    }

    fn empty(&mut self, empty: &EmptyRelation) -> Result<NodeId, PlanError> {
        if empty.schema.fields().is_empty() {
            let id = self.values(Values::placeholder(empty.produce_one_row)?);
            return Ok(id);
        }
        if empty.produce_one_row {
            return Err(PlanError::internal("a row of nothing has columns"));
        }
        Ok(self.values(Values::empty(Arc::clone(empty.schema.inner()))))
    }

    fn union(&mut self, union: &Union) -> Result<NodeId, PlanError> {
        let names = names(union.schema.fields());
        let mut inputs = Vec::new();
        for branch in &union.inputs {
            let input = self.query(branch)?;
            let schema = Arc::clone(&self.properties(input)?.schema);
            for (found, wanted) in schema.fields().iter().zip(union.schema.fields()) {
                if found.data_type() != wanted.data_type() {
                    return Err(PlanError::internal(format!(
                        "a branch of UNION has {} of type {}, not {}",
                        found.name(),
                        found.data_type(),
                        wanted.data_type()
                    )));
                }
            }
            inputs.push(self.calc(input, None, expression::all_columns(&schema), names.clone())?);
        }
        self.union_all(inputs)
    }

    /// The rows of all inputs, which have equal columns.
    pub(super) fn union_all(&mut self, inputs: Vec<NodeId>) -> Result<NodeId, PlanError> {
        let properties = self.union_properties(&inputs)?;
        Ok(self.plan.add(NodeKind::Union, inputs, properties))
    }

    fn union_properties(&self, inputs: &[NodeId]) -> Result<Properties, PlanError> {
        let all: Vec<&Properties> = inputs
            .iter()
            .map(|id| self.properties(*id))
            .collect::<Result<_, _>>()?;
        let Some(first) = all.first() else {
            return Err(PlanError::internal("a UNION has no branch"));
        };
        let fields = first
            .schema
            .fields()
            .iter()
            .enumerate()
            .map(|(index, field)| {
                let nullable = all
                    .iter()
                    .any(|p| p.schema.fields().get(index).is_none_or(|f| f.is_nullable()));
                field.as_ref().clone().with_nullable(nullable)
            });
        let schema = Arc::new(arrow::datatypes::Schema::new(fields.collect::<Vec<_>>()));
        let bounded = all.iter().all(|p| p.bounded);
        let mut properties = Properties::appending(schema, bounded);
        for (index, attribute) in properties.attributes.iter_mut().enumerate() {
            *attribute = common_attribute(&all, index);
        }
        properties.updating = all.iter().any(|p| p.updating);
        Ok(properties)
    }

    fn window_table(&mut self, window: &WindowTable) -> Result<NodeId, PlanError> {
        // A window does not limit ranks, which tell nothing of time as long as they may be limited.
        let input = self.settled_query(&window.input)?;
        let time = self.expression(&window.time, &window.input)?;
        let time = self.time_column(input, &time, window)?;
        let session_keys = window
            .keys
            .iter()
            .map(|key| self.expression(key, &window.input))
            .collect::<Result<Vec<_>, _>>()?;
        let node = AssignWindow {
            window: Shape::of(window),
            time,
            time_type: window.time_type()?,
            session_keys,
        };
        let own = self.plan.next_id();
        let properties = node.properties(self.properties(input)?, own);
        self.plan.set_location(own, window.location);
        Ok(self
            .plan
            .add(NodeKind::AssignWindow(node), vec![input], properties))
    }

    /// What stands below a node, behind calcs, and has no time attributes.
    pub(super) fn timeless_below(&self, id: NodeId) -> Option<&'static str> {
        let node = self.plan.node(id)?;
        match (&node.kind, node.inputs.as_slice()) {
            (NodeKind::Join(join), _) => Some(match join.time {
                None => {
                    "behind a join no column is a time attribute, unless the condition says by how much \
                     the times of two rows may differ, or that they are in one window"
                }
                Some(_) => {
                    "behind a join in event time only what it compares is a time attribute: the two times, \
                     or the bounds of the windows; and not where it may be NULL for want of a partner"
                }
            }),
            (NodeKind::TemporalJoin(_), _) => {
                Some("behind a temporal join only the time of the left table is a time attribute")
            }
            (NodeKind::Rank(_), _) if node.properties.updating => {
                Some("behind a Top-N whose rows are taken back no column is a time attribute")
            }
            (NodeKind::Over(_), _) if node.properties.updating => Some(
                "behind functions with OVER no column is a time attribute, unless their rows only ever come, in \
                 ascending order of event time, and no function looks ahead",
            ),
            (NodeKind::Over(_), _) => Some(
                "behind functions with OVER in event time only the time in whose order rows are is a time attribute",
            ),
            (NodeKind::Pattern(pattern), _) if pattern.looks_ahead() => Some(
                "behind MATCH_RECOGNIZE with NEXT no column is a time attribute: a row waits for the next one of its \
                 partition, which may come at any time",
            ),
            (NodeKind::Pattern(_), _) => Some(
                "of the columns of MATCH_RECOGNIZE only MATCH_ROWTIME() and MATCH_PROCTIME() are time attributes",
            ),
            (NodeKind::CountWindow(_), _) => Some(
                "behind a window of so many rows only window_time is a time attribute, which ORDER BY in its \
                 argument makes",
            ),
            (NodeKind::ToChangelog(_), [input]) if self.plan.node(*input)?.properties.updating => {
                Some(
                    "behind TO_CHANGELOG of rows that change no column is a time attribute: a row may be taken back when its \
                 time has passed long ago",
                )
            }
            (NodeKind::FromChangelog(_) | NodeKind::ChangelogNormalize(_), _)
                if node.properties.updating =>
            {
                Some(
                    "behind FROM_CHANGELOG, if its rows change, no column is a time attribute: a row may be taken back \
                     when its time has passed long ago",
                )
            }
            (NodeKind::Calc(_) | NodeKind::Unnest(_), [input]) => self.timeless_below(*input),
            _ => None,
        }
    }

    /// The event-time column of a window, or `None` for processing time.
    fn time_column(
        &self,
        input: NodeId,
        time: &ExprRef,
        window: &WindowTable,
    ) -> Result<Option<usize>, PlanError> {
        if is_proctime(time) {
            return Ok(None);
        }
        let properties = self.properties(input)?;
        let column = expression::as_column(time);
        match column.map(|index| properties.attribute(index)) {
            Some(Attribute::ProcessingTime) => Ok(None),
            Some(attribute) if attribute.is_event_time() => Ok(column),
            _ => {
                let error = no_time_attribute(&window.time, window.location);
                Err(match self.timeless_below(input) {
                    Some(detail) => error.detail(detail),
                    None => error,
                })
            }
        }
    }
}

fn no_time_attribute(time: &Expr, location: Option<Location>) -> PlanError {
    let name = match time {
        Expr::Column(column) => column.name.clone(),
        other => other.to_string(),
    };
    PlanError::new(
        PlanErrorKind::InvalidWindow,
        format!("a window needs a time attribute, and {name} is none"),
    )
    .hint(format!(
        "declare WATERMARK FOR {name} AS … in CREATE TABLE and pass the column through unchanged, \
         or use a column pt AS PROCTIME(), or window_time of an earlier window"
    ))
    .at(location)
}

/// What a column of a union says about time: what all branches say.
fn common_attribute(branches: &[&Properties], column: usize) -> Attribute {
    let all = |test: fn(Attribute) -> bool| branches.iter().all(|p| test(p.attribute(column)));
    if all(Attribute::is_event_time) {
        return Attribute::EventTime;
    }
    if all(|attribute| attribute == Attribute::ProcessingTime) {
        return Attribute::ProcessingTime;
    }
    Attribute::None
}

pub(super) fn names(fields: &arrow::datatypes::Fields) -> Vec<String> {
    fields.iter().map(|field| field.name().clone()).collect()
}

fn unsupported(logical: &LogicalPlan) -> PlanError {
    let construct = match logical {
        LogicalPlan::Subquery(_) => "a subquery",
        LogicalPlan::Unnest(_) => "UNNEST outside of FROM",
        LogicalPlan::RecursiveQuery(_) => "WITH RECURSIVE",
        LogicalPlan::Distinct(_) => "DISTINCT ON",
        _ => "this statement",
    };
    PlanError::unsupported(format!("{construct} on streams"), None).hint(
        "bounded tables can be queried this way in batch mode: \
         SET 'execution.runtime-mode' = 'batch'",
    )
}
