//! Connectors whose sources take their time, and fail when they are told to.
//!
//! A bounded job over ten rows is over before anything can be done to it. Around every source this
//! puts a pause of chance length in front of each event, and around every sink one in front of each
//! write, so that a job can be stopped or failed at any moment of its life, with rows on their way.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::slow_lookup::SlowLookup;
use arrow::datatypes::{DataType, Schema};
use async_trait::async_trait;
use levada_engine::connector::{
    Boundedness, ConnectorFactory, ConnectorRegistry, Lookup, LookupCache, LookupContext,
    PartialCache, Sink, SinkContext, SinkFactory, Source, SourceContext, SourceEvent,
    SourceFactory, SplitState, TableDescriptor,
};
use levada_engine::element::{Batch, ChangelogMode};
use levada_engine::graph::{WireBytes, WireSchema};
use levada_engine::{EngineError, Result};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use tokio::time::Instant;

/// Sources below a folder that are to fail: after so many more events.
#[derive(Clone, Default)]
pub struct Faults(Arc<Mutex<HashMap<String, Vec<u32>>>>);

impl Faults {
    /// Sources of tables whose path begins with `folder` fail once for each of `after`: when so
    /// many events have come since the last failure.
    pub fn plan(&self, folder: &str, after: Vec<u32>) {
        self.0
            .lock()
            .expect("no panic")
            .insert(folder.to_string(), after);
    }

    /// Forgets what was planned, and says how many failures have not happened.
    pub fn clear(&self, folder: &str) -> usize {
        let left = self.0.lock().expect("no panic").remove(folder);
        left.map_or(0, |left| left.len())
    }

    fn event(&self, path: &str) -> Result<()> {
        let mut planned = self.0.lock().expect("no panic");
        let Some((_, after)) = planned
            .iter_mut()
            .find(|(folder, _)| path.starts_with(*folder))
        else {
            return Ok(());
        };
        match after.first_mut() {
            Some(0) => {
                after.remove(0);
                Err(EngineError::connector("a failure that the test wants"))
            }
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

/// The connectors of `inner`, with pauses of up to `longest`: in front of each event of a source, and of
/// each write of a sink.
pub fn paced(
    inner: &ConnectorRegistry,
    (sources, sinks): (Duration, Duration),
    seed: u64,
    faults: &Faults,
) -> ConnectorRegistry {
    let mut registry = ConnectorRegistry::new();
    for identifier in inner.identifiers() {
        let factory = inner
            .of_table(&nameless(identifier))
            .expect("it is registered");
        registry.register(Arc::new(PacedConnector {
            inner: Arc::clone(factory),
            pace: Pace {
                sources,
                sinks,
                seed,
                faults: faults.clone(),
            },
        }));
    }
    registry
}

fn nameless(connector: &str) -> TableDescriptor {
    TableDescriptor {
        name: String::new(),
        connector: connector.to_string(),
        schema: WireSchema(Arc::new(Schema::empty())),
        metadata: BTreeMap::new(),
        primary_key: Vec::new(),
        partitioned_by: Vec::new(),
        options: BTreeMap::new(),
    }
}

#[derive(Clone)]
struct Pace {
    sources: Duration,
    sinks: Duration,
    seed: u64,
    faults: Faults,
}

struct PacedConnector {
    inner: Arc<dyn ConnectorFactory>,
    pace: Pace,
}

impl ConnectorFactory for PacedConnector {
    fn identifier(&self) -> &'static str {
        self.inner.identifier()
    }

    fn source(&self, table: &TableDescriptor) -> Result<Arc<dyn SourceFactory>> {
        Ok(Arc::new(PacedFactory {
            inner: self.inner.source(table)?,
            pace: self.pace.clone(),
            path: table.option("path").unwrap_or_default().to_string(),
        }))
    }

    fn sink(&self, table: &TableDescriptor) -> Result<Arc<dyn SinkFactory>> {
        Ok(Arc::new(PacedSinks {
            inner: self.inner.sink(table)?,
            pace: self.pace.clone(),
        }))
    }

    fn metadata(&self, table: &TableDescriptor) -> Result<Vec<(String, DataType)>> {
        self.inner.metadata(table)
    }
}

struct PacedSinks {
    inner: Arc<dyn SinkFactory>,
    pace: Pace,
}

impl SinkFactory for PacedSinks {
    fn accept(&self, mode: ChangelogMode) -> Result<ChangelogMode> {
        self.inner.accept(mode)
    }

    fn create(&self, context: SinkContext) -> Result<Box<dyn Sink>> {
        let seed = !self.pace.seed ^ (u64::from(context.index) << 32);
        Ok(Box::new(PacedSink {
            inner: self.inner.create(context)?,
            chance: SmallRng::seed_from_u64(seed),
            longest: self.pace.sinks,
        }))
    }
}

struct PacedSink {
    inner: Box<dyn Sink>,
    chance: SmallRng,
    longest: Duration,
}

#[async_trait]
impl Sink for PacedSink {
    async fn open(&mut self) -> Result<()> {
        self.inner.open().await
    }

    async fn write(&mut self, batch: &Batch) -> Result<()> {
        tokio::time::sleep(self.longest.mul_f64(self.chance.random::<f64>())).await;
        self.inner.write(batch).await
    }

    async fn idle(&mut self) -> Result<()> {
        self.inner.idle().await
    }

    async fn prepare(&mut self, checkpoint_id: u64) -> Result<Vec<WireBytes>> {
        self.inner.prepare(checkpoint_id).await
    }

    async fn commit(&mut self, committables: Vec<WireBytes>) -> Result<()> {
        self.inner.commit(committables).await
    }

    fn takes_rows_twice(&self) -> bool {
        self.inner.takes_rows_twice()
    }

    fn deadline_ms(&self) -> Option<i64> {
        self.inner.deadline_ms()
    }
}

struct PacedFactory {
    inner: Arc<dyn SourceFactory>,
    pace: Pace,
    path: String,
}

impl SourceFactory for PacedFactory {
    fn boundedness(&self) -> Boundedness {
        self.inner.boundedness()
    }

    fn mode(&self) -> ChangelogMode {
        self.inner.mode()
    }

    /// What could be loaded is asked, with and without a cache.
    fn lookup(&self) -> Option<LookupCache> {
        let partial = PartialCache {
            max_rows: Some(4),
            expire_after_write_ms: None,
            expire_after_access_ms: None,
            missing_keys: true,
        };
        let cache = match self.pace.seed % 3 {
            0 => LookupCache::Partial(partial),
            _ => LookupCache::None,
        };
        self.inner.lookup().map(|_| cache)
    }

    fn create_lookup(&self, context: LookupContext) -> Result<Arc<dyn Lookup>> {
        let longest = self.pace.sources * 8;
        let lookup = SlowLookup::new(Arc::clone(&self.inner), context, longest, self.pace.seed);
        Ok(Arc::new(lookup))
    }

    fn create(&self, context: SourceContext) -> Result<Box<dyn Source>> {
        let seed = self.pace.seed ^ (u64::from(context.index) << 32);
        Ok(Box::new(PacedSource {
            inner: self.inner.create(context)?,
            chance: SmallRng::seed_from_u64(seed),
            pace: self.pace.clone(),
            path: self.path.clone(),
            wake: None,
        }))
    }
}

struct PacedSource {
    inner: Box<dyn Source>,
    chance: SmallRng,
    pace: Pace,
    path: String,
    /// The end of the pause in front of the next event: a call that is dropped does not begin it
    /// anew.
    wake: Option<Instant>,
}

#[async_trait]
impl Source for PacedSource {
    async fn open(&mut self) -> Result<Vec<String>> {
        self.inner.open().await
    }

    async fn next(&mut self) -> Result<SourceEvent> {
        let pause = self.pace.sources.mul_f64(self.chance.random::<f64>());
        let wake = *self.wake.get_or_insert_with(|| Instant::now() + pause);
        tokio::time::sleep_until(wake).await;
        self.pace.faults.event(&self.path)?;
        let event = self.inner.next().await?;
        self.wake = None;
        Ok(event)
    }

    fn checkpoint(&mut self, checkpoint_id: u64) -> Result<Vec<SplitState>> {
        self.inner.checkpoint(checkpoint_id)
    }

    fn positions(&self) -> Result<Vec<SplitState>> {
        self.inner.positions()
    }

    fn set_paused(&mut self, split: &str, paused: bool) {
        self.inner.set_paused(split, paused);
    }

    async fn checkpoint_complete(&mut self, checkpoint_id: u64) -> Result<()> {
        self.inner.checkpoint_complete(checkpoint_id).await
    }
}
