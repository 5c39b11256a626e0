//! Joins with a table that is asked by key: the table is part of the operator, and nothing reads it.

use levada_engine::connector::LookupCache;
use levada_engine::graph::{
    CalcSpec, LookupJoinSpec, OperatorSpec, Partitioning, SourceSpec, WireSchema,
};

use super::join::{columns, rows};
use super::lineage::Lineage;
use super::operators::{Lowering, Operator, encode};
use super::source::source_spec;
use crate::streaming::{
    ExprRef, Node, NodeId, NodeKind, Plan, TemporalJoin, as_column, substitute, text,
};
use levada_language::error::PlanError;

/// For each node, whether it runs by itself: an output depends on it, and not only by asking its table.
pub(super) fn running(plan: &Plan) -> Vec<bool> {
    let live = plan.live();
    let mut runs = vec![false; live.len()];
    let want = |id: NodeId, runs: &mut Vec<bool>| {
        if let Some(flag) = runs.get_mut(id) {
            *flag = true;
        }
    };
    for output in &plan.outputs {
        want(*output, &mut runs);
    }
    for (id, node) in plan.iter().rev() {
        if !runs.get(id).copied().unwrap_or(false) {
            continue;
        }
        let asks = matches!(&node.kind, NodeKind::TemporalJoin(join) if join.lookup.is_some());
        let read = if asks { 1 } else { node.inputs.len() };
        for input in node.inputs.iter().take(read) {
            want(*input, &mut runs);
        }
    }
    runs
}

/// What the operator's id is of.
fn content(
    join: &TemporalJoin,
    cache: LookupCache,
    asked: &Asked,
    left: &Lineage,
    condition: &str,
    rows: &str,
) -> String {
    // Rows that are under way belong where they were sent.
    let kept = match cache {
        LookupCache::Partial(_) => "by key",
        LookupCache::None | LookupCache::Full { .. } => "where they are",
    };
    format!(
        "LookupJoin {kept} {} {} {} on {} = {} where {condition} and {} right={rows}",
        join.label(),
        asked.table.table.name,
        asked.table.table.connector,
        left.names(&join.left_keys).join("\u{1f}"),
        asked.lineage.names(&join.right_keys).join("\u{1f}"),
        asked.conditions.join("\u{1f}"),
    )
}

/// The table of a lookup join, and what is done with its rows.
struct Asked {
    table: SourceSpec,
    table_schema: WireSchema,
    calcs: Vec<(CalcSpec, WireSchema)>,
    /// The columns of the table that come out, as what the connector calls them; `None` are computed.
    names: Vec<Option<String>>,
    lineage: Lineage,
    /// The conditions on rows of the table, for the operator's id.
    conditions: Vec<String>,
}

impl Lowering<'_> {
    pub(super) fn lookup_join(
        &mut self,
        join: &TemporalJoin,
        cache: LookupCache,
        node: &Node,
    ) -> Result<usize, PlanError> {
        let (left, _) = self.nth_input(node, 0)?;
        let lost = || PlanError::internal("a lookup join has no table");
        let right = *node.inputs.get(1).ok_or_else(lost)?;
        let asked = self.asked(right)?;
        let schema = &self.plan.node(right).ok_or_else(lost)?.properties.schema;
        let mut keys = Vec::new();
        for (column, key) in join.left_keys.iter().zip(&join.right_keys) {
            let name = asked.names.get(*key).cloned().flatten();
            keys.push((*column, name.ok_or_else(lost)?));
        }
        // Who asks for a key again should be the one that remembers the answer.
        let (parallelism, partitioning) = match cache {
            LookupCache::Partial(_) => {
                let by_key = self.by_key(left, &join.left_keys)?;
                (by_key.parallelism(), by_key.partitioning())
            }
            LookupCache::None | LookupCache::Full { .. } => {
                (self.get(left)?.parallelism, Partitioning::Forward)
            }
        };
        let below = &self.get(left)?.lineage;
        let own = columns(below, &asked.lineage);
        let condition = match &join.condition {
            Some(condition) => text(&substitute(condition, &own)?),
            None => String::new(),
        };
        let content = content(
            join,
            cache,
            &asked,
            below,
            &condition,
            &rows(&asked.lineage, schema),
        );
        let lineage = Lineage::base(&content, &[below], own.iter().map(text));
        let name = format!("LookupJoin({})", asked.table.table.name);
        let spec = LookupJoinSpec {
            table: asked.table,
            table_schema: asked.table_schema,
            calcs: asked.calcs,
            keys,
            outer: join.outer,
            condition: join.condition.as_ref().map(encode).transpose()?,
            capacity: join
                .asking
                .capacity
                .unwrap_or(self.planning.lookup_capacity),
            timeout_ms: join
                .asking
                .timeout_ms
                .unwrap_or(self.planning.lookup_timeout_ms),
            retry: join.asking.retry,
        };
        let inputs = vec![self.main(left, partitioning)?];
        let uid = self.uid(&content, &[left]);
        Ok(self.push(Operator {
            uid,
            lineage,
            name,
            spec: OperatorSpec::LookupJoin(Box::new(spec)),
            inputs,
            schema: node.properties.schema.clone(),
            parallelism,
        }))
    }

    /// The table below a node, and the calcs between them.
    fn asked(&self, id: NodeId) -> Result<Asked, PlanError> {
        let lost = || PlanError::internal("a lookup join is over more than a table");
        let node = self.plan.node(id).ok_or_else(lost)?;
        let schema = WireSchema(node.properties.schema.clone());
        match (&node.kind, node.inputs.as_slice()) {
            (NodeKind::Scan(scan), _) => {
                let table = source_spec(scan, self.planning)?;
                let fields = table.read_schema.0.fields();
                let name = |column: usize| fields.get(column).map(|field| field.name().clone());
                let names = match scan.read.as_ref().and_then(|read| read.compute.as_ref()) {
                    Some(compute) => {
                        let column = |expr: &ExprRef| as_column(expr).and_then(name);
                        compute.iter().map(column).collect()
                    }
                    None => (0..fields.len()).map(name).collect(),
                };
                let content = format!("Source {} {}", table.table.name, table.table.connector);
                Ok(Asked {
                    lineage: Lineage::table(&content, scan, &schema.0),
                    table_schema: schema,
                    table,
                    calcs: Vec::new(),
                    names,
                    conditions: Vec::new(),
                })
            }
            (NodeKind::Calc(calc), [below]) => {
                let mut asked = self.asked(*below)?;
                let names = calc.projection.iter().map(|expr| {
                    let column = as_column(expr)?;
                    asked.names.get(column).cloned().flatten()
                });
                asked.names = names.collect();
                if let Some(filter) = &calc.filter {
                    let below: Vec<ExprRef> = columns(&asked.lineage, &Lineage::default());
                    asked.conditions.push(text(&substitute(filter, &below)?));
                }
                asked.lineage = asked.lineage.through(calc, false)?;
                let projection = calc.projection.iter().map(encode);
                let spec = CalcSpec {
                    filter: calc.filter.as_ref().map(encode).transpose()?,
                    projection: Some(projection.collect::<Result<_, _>>()?),
                };
                asked.calcs.push((spec, schema));
                Ok(asked)
            }
            _ => Err(lost()),
        }
    }
}
