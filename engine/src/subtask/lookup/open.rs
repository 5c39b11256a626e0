//! Makes the stage of what the job graph says.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use arrow::datatypes::{Field, Schema, SchemaRef};

use super::cache::Cache;
use super::giving::Matching;
use super::loaded::Loaded;
use super::shaping::Shaping;
use super::{Asker, Keys, LookupStage};
use crate::connector::{Boundedness, Lookup, LookupCache, LookupContext, SourceContext};
use crate::error::{EngineError, Result};
use crate::expression::Evaluator;
use crate::graph::{ChainedOperator, LookupJoinSpec};
use crate::subtask::build::Plan;

impl Plan {
    /// The stage, whose table answers from now on.
    pub(in crate::subtask) async fn open_lookup(
        &self,
        node: &ChainedOperator,
        spec: &LookupJoinSpec,
        input: &SchemaRef,
    ) -> Result<LookupStage> {
        let keys = key_schema(spec)?;
        let (lookup, cache) = self.lookup(spec, &keys)?;
        lookup.open().await?;
        let functions = self.functions()?;
        let fields = input.fields().iter();
        let fields = fields.chain(columns_of_table(spec).fields());
        let fields = fields.map(|field| field.as_ref().clone().with_nullable(true));
        let pair: SchemaRef = Arc::new(Schema::new(fields.collect::<Vec<Field>>()));
        let output = Arc::clone(&node.schema.0);
        if pair.fields().len() != output.fields().len() {
            return Err(EngineError::internal(
                "a lookup join gives other columns than it has",
            ));
        }
        let condition = spec.condition.as_ref();
        let condition = condition.map(|e| Evaluator::new(e, &pair, &functions));
        Ok(LookupStage {
            asker: Asker {
                lookup,
                name: spec.table.table.name.clone(),
                timeout: Duration::from_millis(spec.timeout_ms),
                retry: spec.retry,
            },
            keys: Keys::new(spec.keys.iter().map(|(column, _)| *column).collect(), keys)?,
            cache,
            table: Arc::clone(&spec.table.read_schema.0),
            shaping: Shaping::new(spec, &functions)?,
            matching: Matching {
                outer: spec.outer,
                condition: condition.transpose()?,
                pair,
                output,
                batch_rows: self.graph.settings.batch_rows.max(1),
            },
            waiting: VecDeque::new(),
            giving: None,
            capacity: spec.capacity.max(1),
            metrics: Arc::clone(&self.metrics),
            clock: Arc::clone(&self.environment.clock),
        })
    }

    fn lookup(
        &self,
        spec: &LookupJoinSpec,
        keys: &SchemaRef,
    ) -> Result<(Arc<dyn Lookup>, Option<Cache>)> {
        let connectors = &self.environment.connectors;
        let table = &spec.table.table;
        let factory = connectors.of_table(table)?.source(table)?;
        let schema = Arc::clone(&spec.table.read_schema.0);
        let kept = factory.lookup().ok_or_else(|| {
            EngineError::config(format!("table '{}' cannot be asked by key", table.name))
        })?;
        let memory = || self.environment.resources.memory.share();
        if let LookupCache::Full { reload_ms } = kept {
            if factory.boundedness() == Boundedness::Unbounded {
                let what = format!("table '{}' has no end, so it cannot be loaded", table.name);
                return Err(EngineError::config(what).with_hint("leave out 'lookup.cache'"));
            }
            let context = SourceContext {
                job: self.job.clone(),
                schema: Arc::clone(&schema),
                index: 0,
                parallelism: 1,
                batch_rows: self.graph.settings.batch_rows,
                divert_bad: false,
                restored: None,
                clock: Arc::clone(&self.environment.clock),
                metrics: Arc::clone(&self.metrics),
            };
            let place = |(_, name): &(usize, String)| schema.index_of(name);
            let keys = spec.keys.iter().map(place).collect::<Result<_, _>>()?;
            let loaded = Loaded::new(factory, context, keys, reload_ms, memory())?;
            return Ok((Arc::new(loaded), None));
        }
        let lookup = factory.create_lookup(LookupContext {
            job: self.job.clone(),
            schema: Arc::clone(&schema),
            keys: Arc::clone(keys),
            capacity: spec.capacity.max(1),
            clock: Arc::clone(&self.environment.clock),
            metrics: Arc::clone(&self.metrics),
        })?;
        let cache = match kept {
            LookupCache::Partial(settings) => Some(Cache::new(settings, schema, memory())?),
            _ => None,
        };
        Ok((lookup, cache))
    }
}

/// The columns of the key as the table calls them.
fn key_schema(spec: &LookupJoinSpec) -> Result<SchemaRef> {
    let columns = spec.keys.iter().map(|(_, name)| {
        let field = spec.table.read_schema.0.field_with_name(name);
        field.map(|field| field.clone().with_nullable(true))
    });
    Ok(Arc::new(Schema::new(
        columns.collect::<Result<Vec<_>, _>>()?,
    )))
}

/// The columns that the table adds to a row.
fn columns_of_table(spec: &LookupJoinSpec) -> &SchemaRef {
    match spec.calcs.last() {
        Some((_, schema)) => &schema.0,
        None => &spec.table_schema.0,
    }
}
