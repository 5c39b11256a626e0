//! Tables that answer by key after a while, so that a job can be stopped or failed with questions under way.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::{Array as _, ArrayRef, RecordBatch, UInt32Array};
use arrow::compute::{concat_batches, take_record_batch};
use arrow::row::{RowConverter, SortField};
use async_trait::async_trait;
use levada_engine::Result;
use levada_engine::connector::{
    Answer, Lookup, LookupContext, SourceContext, SourceEvent, SourceFactory,
};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use tokio::sync::{Mutex, OnceCell};

/// Reads the table when it is first asked, and takes up to `longest` for each answer.
pub struct SlowLookup {
    factory: Arc<dyn SourceFactory>,
    context: LookupContext,
    longest: Duration,
    chance: Mutex<SmallRng>,
    rows: OnceCell<RecordBatch>,
}

impl SlowLookup {
    /// Over the rows that a source reads.
    pub fn new(
        factory: Arc<dyn SourceFactory>,
        context: LookupContext,
        longest: Duration,
        seed: u64,
    ) -> Self {
        SlowLookup {
            factory,
            context,
            longest,
            chance: Mutex::new(SmallRng::seed_from_u64(seed)),
            rows: OnceCell::new(),
        }
    }

    async fn read(&self) -> Result<RecordBatch> {
        let mut source = self.factory.create(SourceContext {
            job: self.context.job.clone(),
            schema: self.context.schema.clone(),
            index: 0,
            parallelism: 1,
            batch_rows: 100,
            divert_bad: false,
            restored: None,
            clock: self.context.clock.clone(),
            metrics: self.context.metrics.clone(),
        })?;
        source.open().await?;
        let mut parts = Vec::new();
        loop {
            match source.next().await? {
                SourceEvent::Rows { batch, .. } => parts.push(batch.into_parts().0),
                SourceEvent::End => return Ok(concat_batches(&self.context.schema, &parts)?),
                _ => {}
            }
        }
    }
}

#[async_trait]
impl Lookup for SlowLookup {
    async fn open(&self) -> Result<()> {
        self.rows.get_or_try_init(|| self.read()).await.map(|_| ())
    }

    async fn ask(&self, keys: RecordBatch) -> Result<Answer> {
        let share = self.chance.lock().await.random::<f64>();
        tokio::time::sleep(self.longest.mul_f64(share)).await;
        let rows = self.rows.get_or_try_init(|| self.read()).await?;
        let fields = keys.schema();
        let names = fields.fields().iter();
        let columns =
            names.map(|key| Ok(Arc::clone(rows.column(rows.schema().index_of(key.name())?))));
        let columns = columns.collect::<Result<Vec<ArrayRef>>>()?;
        let sorted = fields.fields().iter();
        let sorted = sorted.map(|key| SortField::new(key.data_type().clone()));
        let converter = RowConverter::new(sorted.collect())?;
        let there = converter.convert_columns(&columns)?;
        let asked = converter.convert_columns(keys.columns())?;
        let (mut of, mut places) = (Vec::new(), Vec::new());
        for row in 0..rows.num_rows() {
            let is_null = columns.iter().any(|column| column.is_null(row));
            let key = (0..keys.num_rows()).find(|key| asked.row(*key) == there.row(row));
            if let Some(key) = key.filter(|_| !is_null) {
                of.push(key as u32);
                places.push(row as u32);
            }
        }
        Ok(Answer {
            rows: take_record_batch(rows, &UInt32Array::from(places))?,
            of,
        })
    }
}
