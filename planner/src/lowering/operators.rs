//! Nodes become operators: what runs, how wide, and how rows get there.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use arrow::ipc::writer::StreamWriter;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{Column, cast};
use levada_engine::element::ChangelogMode;
use levada_engine::error::ErrorKind;
use levada_engine::expression;
use levada_engine::graph::{
    CalcSpec, Expression, OperatorSpec, OutputPort, Partitioning, SinkSpec, ValuesSpec, WireBytes,
};

use super::lineage::{Lineage, field_names};
use super::settings::PlanningSettings;
use super::source::{parallelism, source_spec};
use super::uid::Uids;
use super::{Surroundings, lookup_join, side_tables};
use crate::catalog::Table;
use crate::streaming::{
    Calc, Node, NodeId, NodeKind, Plan, Scan, Values, log_key, text, wanted_in_order, written_key,
};
use levada_language::error::{PlanError, PlanErrorKind, in_sql};

/// An operator that is not in a vertex yet.
#[derive(Debug)]
pub(super) struct Operator {
    pub(super) uid: String,
    pub(super) lineage: Lineage,
    pub(super) name: String,
    pub(super) spec: OperatorSpec,
    pub(super) inputs: Vec<Input>,
    pub(super) schema: SchemaRef,
    pub(super) parallelism: u32,
}

/// Where rows come from, and how.
#[derive(Debug)]
pub(super) struct Input {
    pub(super) operator: usize,
    pub(super) port: OutputPort,
    pub(super) partitioning: Partitioning,
    pub(super) schema: SchemaRef,
}

/// The operators of a plan, in topological order.
pub(super) fn lower(
    plan: &Plan,
    surroundings: &Surroundings<'_>,
    planning: &PlanningSettings,
) -> Result<Vec<Operator>, PlanError> {
    let mut lowering = Lowering {
        plan,
        surroundings,
        planning,
        operators: Vec::new(),
        of_node: BTreeMap::new(),
        uids: Uids::default(),
        picks: BTreeMap::new(),
        in_order: wanted_in_order(plan),
    };
    let runs = lookup_join::running(plan);
    for (id, node) in plan.iter() {
        if runs.get(id).copied().unwrap_or(false) {
            let operator = lowering.node(id, node)?;
            lowering.of_node.insert(id, operator);
        }
    }
    Ok(lowering.operators)
}

pub(super) struct Lowering<'a> {
    pub(super) plan: &'a Plan,
    surroundings: &'a Surroundings<'a>,
    pub(super) planning: &'a PlanningSettings,
    operators: Vec<Operator>,
    of_node: BTreeMap<NodeId, usize>,
    uids: Uids,
    /// Calcs that only pick columns, each with its input: whether one is needed depends on what
    /// else reads the same source, so ids see through them.
    picks: BTreeMap<usize, usize>,
    /// The nodes whose rows are read in the order in which they come.
    in_order: Vec<bool>,
}

impl Lowering<'_> {
    /// Adds the operators of a node; returns the one that has its rows.
    fn node(&mut self, id: NodeId, node: &Node) -> Result<usize, PlanError> {
        match &node.kind {
            NodeKind::Scan(scan) => self.scan(scan, node),
            NodeKind::Values(values) => self.values(values, node),
            NodeKind::Calc(calc) => self.calc(calc, (id, node)),
            NodeKind::Union => self.union(id, node),
            NodeKind::AssignWindow(window) => {
                if window.window.is_session() {
                    return Err(PlanError::unsupported(
                        "SESSION without an aggregation by its window_start, window_end and keys",
                        self.plan.location(id),
                    ));
                }
                let input = self.input_of(node)?;
                let content = format!("AssignWindow {} {:?}", window.window, window.time);
                let below = &self.get(input)?.lineage;
                let time = window.time.map(|column| below.column(column));
                let coarse = format!("AssignWindow {} {time:?}", window.window);
                let own = ["window_start", "window_end", "window_time"].map(String::from);
                let columns = below.columns().into_iter().chain(own);
                let lineage = Lineage::base(&coarse, &[below], columns);
                let spec = OperatorSpec::AssignWindow(window.spec());
                self.forward("AssignWindow", (&content, lineage), spec, input, node)
            }
            NodeKind::Unnest(unnest) => self.unnest(unnest, node),
            NodeKind::WindowAggregate(aggregate) => self.window_aggregate(aggregate, node),
            NodeKind::GroupAggregate(aggregate) => self.group_aggregate(aggregate, node),
            NodeKind::ChangelogNormalize(normalize) => self.changelog_normalize(normalize, node),
            NodeKind::Join(join) => self.join(join, node),
            NodeKind::MultiJoin(join) => self.multi_join(join, node),
            NodeKind::TemporalJoin(join) => match join.lookup {
                Some(cache) => self.lookup_join(join, cache, node),
                None => self.temporal_join(join, node),
            },
            NodeKind::Rank(rank) => self.rank(rank, node),
            NodeKind::Over(over) => self.over(over, node),
            NodeKind::Pattern(pattern) => self.pattern(pattern, node),
            NodeKind::CountWindow(window) => self.count_window(window, node),
            NodeKind::ToChangelog(to) => self.changes_as_rows(to, node),
            NodeKind::FromChangelog(from) => self.rows_as_changes(from, node),
            NodeKind::UpsertMaterialize(materialize) => self.materialize(materialize, node),
            NodeKind::Sink(sink) => self.sink(&sink.table, node),
            NodeKind::Collect => self.collect(node),
        }
    }

    pub(super) fn push(&mut self, operator: Operator) -> usize {
        self.operators.push(operator);
        self.operators.len() - 1
    }

    pub(super) fn get(&self, operator: usize) -> Result<&Operator, PlanError> {
        let found = self.operators.get(operator);
        found.ok_or_else(|| PlanError::internal("an operator is missing"))
    }

    pub(super) fn input_of(&self, node: &Node) -> Result<usize, PlanError> {
        self.nth_input(node, 0).map(|(operator, _)| operator)
    }

    pub(super) fn input_node(&self, node: &Node) -> Result<&Node, PlanError> {
        self.nth_input(node, 0).map(|(_, input)| input)
    }

    /// The operator that has the rows of an input, and the input itself.
    pub(super) fn nth_input(&self, node: &Node, place: usize) -> Result<(usize, &Node), PlanError> {
        let id = node.inputs.get(place);
        let operator = id.and_then(|id| self.of_node.get(id));
        let input = id.and_then(|id| self.plan.node(*id));
        match (operator, input) {
            (Some(operator), Some(input)) => Ok((*operator, input)),
            _ => Err(PlanError::internal("a node has no input")),
        }
    }

    /// Rows of an operator's main output.
    pub(super) fn main(
        &self,
        operator: usize,
        partitioning: Partitioning,
    ) -> Result<Input, PlanError> {
        Ok(Input {
            operator,
            port: OutputPort::Main,
            partitioning,
            schema: self.get(operator)?.schema.clone(),
        })
    }

    pub(super) fn uid(&mut self, content: &str, inputs: &[usize]) -> String {
        let ids: Vec<String> = inputs
            .iter()
            .map(|input| self.picks.get(input).unwrap_or(input))
            .filter_map(|input| self.operators.get(*input))
            .map(|operator| operator.uid.clone())
            .collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        self.uids.derive(content, &ids)
    }

    /// An operator that stays where its input is.
    pub(super) fn forward(
        &mut self,
        name: &str,
        (content, lineage): (&str, Lineage),
        spec: OperatorSpec,
        input: usize,
        node: &Node,
    ) -> Result<usize, PlanError> {
        let parallelism = self.get(input)?.parallelism;
        let uid = self.uid(content, &[input]);
        let inputs = vec![self.main(input, Partitioning::Forward)?];
        Ok(self.push(Operator {
            uid,
            lineage,
            name: name.to_string(),
            spec,
            inputs,
            schema: node.properties.schema.clone(),
            parallelism,
        }))
    }

    fn scan(&mut self, scan: &Scan, node: &Node) -> Result<usize, PlanError> {
        let table = &scan.table;
        let spec = source_spec(scan, self.planning)?;
        let parallelism =
            parallelism(table, "scan.parallelism")?.unwrap_or(self.planning.parallelism);
        let mut content = format!("Source {} {}", table.name, spec.table.connector);
        if scan.changes {
            content.push_str(" changes");
        }
        let (late, bad) = (spec.divert_late, spec.divert_bad);
        let source = Operator {
            uid: self.uid(&content, &[]),
            lineage: Lineage::table(&content, scan, &node.properties.schema),
            name: format!("Source({})", table.name),
            spec: OperatorSpec::Source(Box::new(spec)),
            inputs: Vec::new(),
            schema: node.properties.schema.clone(),
            parallelism,
        };
        let source = self.push(source);
        if late {
            self.late_rows(table, source)?;
        }
        if bad {
            self.bad_rows(table, source)?;
        }
        Ok(source)
    }

    fn late_rows(&mut self, table: &Table, source: usize) -> Result<(), PlanError> {
        let catalogs = self.surroundings.catalogs;
        let Some(target) = side_tables::find(catalogs, table, "late-rows.table")? else {
            return Ok(());
        };
        let rows = self.get(source)?.schema.clone();
        side_tables::check_late(&target, table, &rows)?;
        self.side_sink(&target, source, OutputPort::Late, rows, "late rows")
    }

    fn bad_rows(&mut self, table: &Table, source: usize) -> Result<(), PlanError> {
        let catalogs = self.surroundings.catalogs;
        let Some(target) = side_tables::find(catalogs, table, "bad-rows.table")? else {
            return Ok(());
        };
        side_tables::check_bad(&target, table)?;
        let rows = side_tables::bad_rows();
        self.side_sink(&target, source, OutputPort::Bad, rows, "bad rows")
    }

    /// A calc that gives the rows of a side output the names and types of the table, and a sink.
    fn side_sink(
        &mut self,
        table: &Table,
        source: usize,
        port: OutputPort,
        rows: SchemaRef,
        what: &str,
    ) -> Result<(), PlanError> {
        side_tables::check_sink(table, self.surroundings.connectors)?;
        let target = table.write_schema();
        let mut projection = Vec::new();
        for (index, (from, to)) in rows.fields().iter().zip(target.fields()).enumerate() {
            let column: Arc<dyn PhysicalExpr> = Arc::new(Column::new(from.name(), index));
            let converted = cast(column, &rows, to.data_type().clone())?;
            projection.push(encode(&converted)?);
        }
        let parallelism = self.get(source)?.parallelism;
        let calc = Operator {
            uid: self.uid(&format!("Calc {what}"), &[source]),
            lineage: Lineage::end(what, &[&self.get(source)?.lineage]),
            name: format!("Calc({what})"),
            spec: OperatorSpec::Calc(CalcSpec {
                filter: None,
                projection: Some(projection),
            }),
            inputs: vec![Input {
                operator: source,
                port,
                partitioning: Partitioning::Forward,
                schema: rows,
            }],
            schema: target.clone(),
            parallelism,
        };
        let calc = self.push(calc);
        self.add_sink(table, calc, (ChangelogMode::Append, None), target)?;
        Ok(())
    }

    fn values(&mut self, values: &Values, node: &Node) -> Result<usize, PlanError> {
        let ipc = ipc_stream(values)?;
        let digest = xxhash_rust::xxh3::xxh3_64(&ipc);
        let content = format!("Values {digest:016x}");
        let uid = self.uid(&content, &[]);
        let names = field_names(&node.properties.schema);
        Ok(self.push(Operator {
            uid,
            lineage: Lineage::base(&content, &[], names),
            name: "Values".to_string(),
            spec: OperatorSpec::Values(ValuesSpec {
                ipc: WireBytes(ipc),
            }),
            inputs: Vec::new(),
            schema: node.properties.schema.clone(),
            parallelism: 1,
        }))
    }

    fn calc(&mut self, calc: &Calc, (id, node): (NodeId, &Node)) -> Result<usize, PlanError> {
        let input = self.input_of(node)?;
        let input_schema = self.get(input)?.schema.clone();
        if calc.is_identity(&input_schema) && same_names(&input_schema, &node.properties.schema) {
            return Ok(input);
        }
        let filter = calc.filter.as_ref().map(encode).transpose()?;
        let projection = calc
            .projection
            .iter()
            .map(encode)
            .collect::<Result<Vec<_>, _>>()?;
        let content = calc_content(calc);
        let lineage = self
            .get(input)?
            .lineage
            .through(calc, node.properties.updating)?;
        let spec = OperatorSpec::Calc(CalcSpec {
            filter,
            projection: Some(projection),
        });
        let operator = match self.spread(input, (id, node))? {
            None => self.forward("Calc", (&content, lineage), spec, input, node)?,
            Some(parallelism) => {
                let uid = self.uid(&content, &[input]);
                let inputs = vec![self.main(input, Partitioning::Rebalance)?];
                self.push(Operator {
                    uid,
                    lineage,
                    name: "Calc".to_string(),
                    spec,
                    inputs,
                    schema: node.properties.schema.clone(),
                    parallelism,
                })
            }
        };
        if calc.only_picks() {
            let below = self.picks.get(&input).copied().unwrap_or(input);
            self.picks.insert(operator, below);
        }
        Ok(operator)
    }

    /// The parallelism behind a source that has one of its own; `None` to stay with the source.
    /// Updates stay, because rows of a key must not overtake each other, and so do rows that become updates.
    fn spread(&self, input: usize, (id, node): (NodeId, &Node)) -> Result<Option<u32>, PlanError> {
        let source = self.get(input)?;
        let apart = matches!(source.spec, OperatorSpec::Source(_))
            && source.parallelism != self.planning.parallelism
            && !node.properties.updating
            && !self.in_order(id);
        Ok(apart.then_some(self.planning.parallelism))
    }

    /// Whether the rows of a node are read in the order in which they come.
    fn in_order(&self, id: NodeId) -> bool {
        let wanted = self.in_order.get(id).copied().unwrap_or(false);
        wanted || log_key(self.plan, id).is_some()
    }

    fn union(&mut self, id: NodeId, node: &Node) -> Result<usize, PlanError> {
        let operators: Vec<usize> = node
            .inputs
            .iter()
            .map(|id| self.of_node.get(id).copied())
            .collect::<Option<_>>()
            .ok_or_else(|| PlanError::internal("a union lost an input"))?;
        let mut widths = Vec::new();
        for operator in &operators {
            widths.push(self.get(*operator)?.parallelism);
        }
        let first = widths.first().copied().unwrap_or(1);
        let equal = widths.iter().all(|width| *width == first);
        let ordered = node.properties.updating || self.in_order(id);
        let parallelism = match (equal, ordered) {
            (true, _) => first,
            // Without a common width, updates of a key keep their order in one subtask only.
            (false, true) => 1,
            (false, false) => self.planning.parallelism,
        };
        let uid = self.uid("Union", &operators);
        let lineage = self.union_lineage(&operators)?;
        let mut inputs = Vec::new();
        for (operator, width) in operators.iter().zip(widths) {
            let partitioning = match width == parallelism {
                true => Partitioning::Forward,
                false => Partitioning::Rebalance,
            };
            inputs.push(self.main(*operator, partitioning)?);
        }
        Ok(self.push(Operator {
            uid,
            lineage,
            name: "Union".to_string(),
            spec: OperatorSpec::Union,
            inputs,
            schema: node.properties.schema.clone(),
            parallelism,
        }))
    }

    /// A column of a union is what it is in each input.
    fn union_lineage(&self, operators: &[usize]) -> Result<Lineage, PlanError> {
        let mut below = Vec::new();
        for operator in operators {
            below.push(&self.get(*operator)?.lineage);
        }
        let width = below.iter().map(|l| l.columns().len()).min().unwrap_or(0);
        let column = |index| {
            let names: Vec<String> = below.iter().map(|l| l.column(index)).collect();
            format!("union of {}", names.join(", "))
        };
        Ok(Lineage::base("Union", &below, (0..width).map(column)))
    }

    fn sink(&mut self, table: &Table, node: &Node) -> Result<usize, PlanError> {
        let (input, input_node) = self.nth_input(node, 0)?;
        let rows = &input_node.properties;
        // What writes by key has all rows of it in one subtask; else it is enough that equal rows are.
        let key = written_key(table).or_else(|| rows.keys.first().cloned());
        let all = || (0..rows.schema.fields().len()).collect();
        let log = node.inputs.first().and_then(|id| log_key(self.plan, *id));
        let key = match rows.mode {
            ChangelogMode::Append => log,
            _ => Some(key.unwrap_or_else(all)),
        };
        let (mode, schema) = (rows.mode, node.properties.schema.clone());
        self.add_sink(table, input, (mode, key), schema)
    }

    /// The key, if there is one, keeps updates of a row in order when the sink is of another width than its input.
    fn add_sink(
        &mut self,
        table: &Table,
        input: usize,
        (mode, key): (ChangelogMode, Option<Vec<usize>>),
        schema: SchemaRef,
    ) -> Result<usize, PlanError> {
        let width = self.get(input)?.parallelism;
        let parallelism = parallelism(table, "sink.parallelism")?.unwrap_or(width);
        let partitioning = match (parallelism == width, key) {
            (true, _) => Partitioning::Forward,
            (false, None) => Partitioning::Rebalance,
            (false, Some(key)) => Partitioning::Hash(key),
        };
        let descriptor = table.sink_descriptor();
        let content = format!("Sink {} {}", table.name, descriptor.connector);
        let uid = self.uid(&content, &[]);
        let inputs = vec![self.main(input, partitioning)?];
        Ok(self.push(Operator {
            uid,
            lineage: Lineage::end(&content, &[]),
            name: format!("Sink({})", table.name),
            spec: OperatorSpec::Sink(SinkSpec {
                table: descriptor,
                input_mode: mode,
            }),
            inputs,
            schema,
            parallelism,
        }))
    }

    fn collect(&mut self, node: &Node) -> Result<usize, PlanError> {
        let input = self.input_of(node)?;
        let partitioning = match self.get(input)?.parallelism {
            1 => Partitioning::Forward,
            _ => Partitioning::Rebalance,
        };
        let uid = self.uid("Collect", &[input]);
        let lineage = Lineage::end("Collect", &[&self.get(input)?.lineage]);
        let inputs = vec![self.main(input, partitioning)?];
        Ok(self.push(Operator {
            uid,
            lineage,
            name: "Collect".to_string(),
            spec: OperatorSpec::Collect,
            inputs,
            schema: node.properties.schema.clone(),
            parallelism: 1,
        }))
    }
}

/// Encodes an expression for the job graph.
///
/// # Errors
/// The expression is nested deeper than its wire format allows.
pub(super) fn encode(expr: &Arc<dyn PhysicalExpr>) -> Result<Expression, PlanError> {
    let encoded = expression::encode(expr).map_err(|error| match error.kind {
        ErrorKind::Config => PlanError::new(PlanErrorKind::Syntax, error.message)
            .hint("use fewer parentheses, or fewer different operators in a row"),
        _ => PlanError::internal(format!("the expression {expr} cannot be sent to workers"))
            .detail(error.message),
    })?;
    // What an error at run time shows.
    let text = in_sql(&text(expr));
    Ok(Expression { text, ..encoded })
}

fn ipc_stream(values: &Values) -> Result<Vec<u8>, PlanError> {
    let broken = |error: arrow::error::ArrowError| PlanError::internal(error.to_string());
    let mut bytes = Vec::new();
    let mut writer = StreamWriter::try_new(&mut bytes, &values.rows.schema()).map_err(broken)?;
    writer.write(&values.rows).map_err(broken)?;
    writer.finish().map_err(broken)?;
    drop(writer);
    Ok(bytes)
}

fn same_names(a: &Schema, b: &Schema) -> bool {
    a.fields()
        .iter()
        .zip(b.fields())
        .all(|(a, b)| a.name() == b.name())
}

/// What a calc does, for its id.
fn calc_content(calc: &Calc) -> String {
    let filter = calc.filter.as_ref().map(text).unwrap_or_default();
    let projection: Vec<String> = calc.projection.iter().map(text).collect();
    format!("Calc where {filter} select {}", projection.join(", "))
}
