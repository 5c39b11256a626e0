//! What the tests of connectors share: tables, contexts and batches in a few words.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use levada_engine::connector::{
    SinkContext, Source, SourceContext, SourceEvent, SplitState, TableDescriptor,
};
use levada_engine::graph::JobId;
use levada_engine::metrics::SubtaskMetrics;
use levada_engine::time::{Clock, ManualClock};

/// A table `t` without columns.
pub(crate) fn table(connector: &str, options: &[(&str, &str)]) -> TableDescriptor {
    table_of(connector, Arc::new(Schema::empty()), options)
}

/// A table `t` with columns.
pub(crate) fn table_of(
    connector: &str,
    schema: SchemaRef,
    options: &[(&str, &str)],
) -> TableDescriptor {
    TableDescriptor {
        name: "t".into(),
        connector: connector.into(),
        schema: schema.into(),
        metadata: BTreeMap::new(),
        primary_key: Vec::new(),
        partitioned_by: Vec::new(),
        options: options
            .iter()
            .map(|(n, v)| (n.to_string(), v.to_string()))
            .collect(),
    }
}

/// The context of subtask `index` of `parallelism`, in batches of `batch_rows`.
pub(crate) fn source_context(
    schema: SchemaRef,
    (index, parallelism): (u32, u32),
    batch_rows: usize,
    restored: Option<Vec<SplitState>>,
) -> SourceContext {
    SourceContext {
        job: JobId("job-1".into()),
        schema,
        index,
        parallelism,
        batch_rows,
        divert_bad: false,
        restored: restored.map(Arc::new),
        clock: ManualClock::new(0),
        metrics: Arc::new(SubtaskMetrics::default()),
    }
}

/// The context of subtask `index` of `parallelism` in run `attempt`.
pub(crate) fn sink_context(
    schema: SchemaRef,
    (index, parallelism): (u32, u32),
    attempt: u32,
    clock: Arc<dyn Clock>,
) -> SinkContext {
    SinkContext {
        job: JobId("job-1".into()),
        operator: "sink".into(),
        attempt,
        restored: Arc::default(),
        barriers_come: true,
        schema,
        index,
        parallelism,
        clock,
        metrics: Arc::new(SubtaskMetrics::default()),
        failpoints: Default::default(),
    }
}

/// All events up to the end.
pub(crate) async fn drain(source: &mut dyn Source) -> Vec<SourceEvent> {
    let mut events = Vec::new();
    loop {
        match source.next().await.unwrap() {
            SourceEvent::End => return events,
            event => events.push(event),
        }
    }
}
