//! Aggregations become operators: in two phases where rows travel between the two.

use arrow::datatypes::{Schema, SchemaRef};
use levada_engine::error::EngineError;
use levada_engine::graph::{
    AggregateCall, GroupAggregateSpec, OperatorSpec, Partitioning, WindowAggregateSpec, WireSchema,
};
use levada_engine::operator::aggregate::{
    partial_schema_group, partial_schema_window, supports_local_group, supports_local_window,
};

use super::lineage::Lineage;
use super::operators::{Lowering, Operator};
use crate::streaming::{Call, GroupAggregate, Node, WindowAggregate};
use levada_language::error::PlanError;

/// How rows travel to where their key is.
pub(super) struct ByKey {
    parallelism: u32,
    partitioning: Partitioning,
}

impl ByKey {
    /// How wide the operator is.
    pub(super) fn parallelism(&self) -> u32 {
        self.parallelism
    }

    /// How rows get there.
    pub(super) fn partitioning(&self) -> Partitioning {
        self.partitioning.clone()
    }

    /// Whether rows leave their subtask, so that aggregating before saves something.
    fn travels(&self) -> bool {
        self.partitioning != Partitioning::Forward
    }
}

impl Lowering<'_> {
    /// How rows reach an operator with keys, and how wide it is: one subtask owns each key.
    pub(super) fn by_key(&self, input: usize, keys: &[usize]) -> Result<ByKey, PlanError> {
        let parallelism = match keys {
            [] => 1,
            _ => self.planning.parallelism,
        };
        let partitioning = match (parallelism, self.get(input)?.parallelism) {
            (1, 1) => Partitioning::Forward,
            _ => Partitioning::Hash(keys.to_vec()),
        };
        Ok(ByKey {
            parallelism,
            partitioning,
        })
    }

    pub(super) fn window_aggregate(
        &mut self,
        aggregate: &WindowAggregate,
        node: &Node,
    ) -> Result<usize, PlanError> {
        let input = self.input_of(node)?;
        let by_key = self.by_key(input, &aggregate.keys)?;
        let input_schema = self.get(input)?.schema.clone();
        // What has been given of open windows is not in their state.
        let early = self.planning.early_fire_ms.map_or("", |_| " early");
        let content = format!(
            "WindowAggregate {}{early} event={} keys={} calls={}",
            aggregate.window,
            aggregate.time.is_some(),
            names(&input_schema, &aggregate.keys),
            calls(&aggregate.calls),
        );
        let below = &self.get(input)?.lineage;
        let time = aggregate.time.map(|column| below.column(column));
        let coarse = format!("WindowAggregate {}{early} {time:?}", aggregate.window);
        let own = ["window_start", "window_end", "window_time"];
        let lineage = aggregated(&coarse, below, (&aggregate.keys, &aggregate.calls), &own);
        let mut spec = WindowAggregateSpec {
            window: aggregate.window_spec(),
            keys: aggregate.keys.clone(),
            aggregates: specs(&aggregate.calls, below),
            input: WireSchema(input_schema),
            input_updating: self.input_node(node)?.properties.updating,
            partial_input: false,
            allowed_lateness_ms: self.planning.allowed_lateness_ms,
            early_fire_ms: self.planning.early_fire_ms,
        };
        // The id does not depend on the local phase, which comes and goes with parallelism.
        let uid = self.uid(&content, &[input]);
        let mut from = input;
        let local = by_key.travels() && spec.early_fire_ms.is_none();
        if local && supports_local_window(&spec).map_err(unsupported)? {
            let partial = partial_schema_window(&spec).map_err(unsupported)?;
            let local = OperatorSpec::LocalWindowAggregate(spec.clone());
            from = self.local("LocalWindowAggregate", local, input, partial)?;
            spec.partial_input = true;
        }
        let spec = OperatorSpec::WindowAggregate(spec);
        self.global("WindowAggregate", (uid, lineage), spec, from, by_key, node)
    }

    pub(super) fn group_aggregate(
        &mut self,
        aggregate: &GroupAggregate,
        node: &Node,
    ) -> Result<usize, PlanError> {
        let input = self.input_of(node)?;
        let by_key = self.by_key(input, &aggregate.keys)?;
        let input_schema = self.get(input)?.schema.clone();
        let content = format!(
            "GroupAggregate keys={} calls={}",
            names(&input_schema, &aggregate.keys),
            calls(&aggregate.calls),
        );
        let below = &self.get(input)?.lineage;
        let calls = (aggregate.keys.as_slice(), aggregate.calls.as_slice());
        let lineage = aggregated("GroupAggregate", below, calls, &[]);
        let mut spec = GroupAggregateSpec {
            keys: aggregate.keys.clone(),
            aggregates: specs(&aggregate.calls, below),
            input: WireSchema(input_schema),
            input_updating: self.input_node(node)?.properties.updating,
            partial_input: false,
            emit_update_before: aggregate.emit_update_before,
            ttl_ms: aggregate.ttl_ms.unwrap_or(self.planning.state_ttl_ms),
        };
        if aggregate.whole {
            let content = (content.as_str(), lineage);
            let spec = OperatorSpec::WholeAggregate(spec);
            return self.forward("WholeAggregate", content, spec, input, node);
        }
        let uid = self.uid(&content, &[input]);
        let mut from = input;
        if by_key.travels() && supports_local_group(&spec).map_err(unsupported)? {
            let partial = partial_schema_group(&spec).map_err(unsupported)?;
            let local = OperatorSpec::LocalGroupAggregate(spec.clone());
            from = self.local("LocalGroupAggregate", local, input, partial)?;
            spec.partial_input = true;
        }
        let spec = OperatorSpec::GroupAggregate(spec);
        self.global("GroupAggregate", (uid, lineage), spec, from, by_key, node)
    }

    /// The phase before the exchange, where the input is.
    fn local(
        &mut self,
        name: &str,
        spec: OperatorSpec,
        input: usize,
        schema: SchemaRef,
    ) -> Result<usize, PlanError> {
        let parallelism = self.get(input)?.parallelism;
        let uid = self.uid(name, &[input]);
        let inputs = vec![self.main(input, Partitioning::Forward)?];
        Ok(self.push(Operator {
            uid,
            lineage: Lineage::default(),
            name: name.to_string(),
            spec,
            inputs,
            schema,
            parallelism,
        }))
    }

    /// The phase that owns the keys. Partial rows begin with the keys.
    pub(super) fn global(
        &mut self,
        name: &str,
        (uid, lineage): (String, Lineage),
        spec: OperatorSpec,
        from: usize,
        by_key: ByKey,
        node: &Node,
    ) -> Result<usize, PlanError> {
        let inputs = vec![self.main(from, by_key.partitioning)?];
        Ok(self.push(Operator {
            uid,
            lineage,
            name: name.to_string(),
            spec,
            inputs,
            schema: node.properties.schema.clone(),
            parallelism: by_key.parallelism,
        }))
    }
}

/// The lineage of an aggregation: its coarse id does not say what is aggregated.
fn aggregated(
    content: &str,
    below: &Lineage,
    (keys, calls): (&[usize], &[Call]),
    own: &[&str],
) -> Lineage {
    let keys = below.names(keys);
    let content = format!("{content} by {}", keys.join("\u{1f}"));
    let calls = calls.iter().map(|call| below.identity(call));
    let own = own.iter().map(|name| (*name).to_string());
    Lineage::base(
        &content,
        &[below],
        keys.iter().cloned().chain(calls).chain(own),
    )
}

/// The aggregates as the job graph writes them.
fn specs(calls: &[Call], below: &Lineage) -> Vec<AggregateCall> {
    let spec = |call: &Call| AggregateCall {
        identity: below.identity(call),
        ..call.spec()
    };
    calls.iter().map(spec).collect()
}

/// An aggregation that the operators cannot do, such as SUM of a text that got this far.
pub(super) fn unsupported(error: EngineError) -> PlanError {
    let converted = PlanError::unsupported(error.message, None);
    match error.hint {
        Some(hint) => converted.hint(hint),
        None => converted,
    }
}

pub(super) fn names(schema: &Schema, columns: &[usize]) -> String {
    let name = |column: &usize| schema.fields().get(*column).map(|f| f.name().as_str());
    let names: Vec<&str> = columns.iter().filter_map(name).collect();
    names.join(", ")
}

fn calls(calls: &[Call]) -> String {
    let names: Vec<&str> = calls.iter().map(|call| call.name.as_str()).collect();
    names.join(", ")
}
