//! Reading a Parquet file from any object store.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Fields, SchemaRef};
use async_trait::async_trait;
use futures::StreamExt;
use levada_engine::Result;
use object_store::{ObjectMeta, ObjectStore};
use parquet::arrow::ProjectionMask;
use parquet::arrow::async_reader::{ParquetRecordBatchStream, ParquetRecordBatchStreamBuilder};
use parquet::file::metadata::ParquetMetaData;
use parquet::schema::types::SchemaDescriptor;

use super::adapt::Adapter;
use super::object::Object;
use super::unreadable;
use crate::format::FileReader;

/// Reads rows of one file.
pub(super) struct ParquetReader {
    file: ObjectMeta,
    stream: ParquetRecordBatchStream<Object>,
    adapter: Adapter,
    position: u64,
}

async fn builder(
    store: Arc<dyn ObjectStore>,
    file: &ObjectMeta,
) -> Result<ParquetRecordBatchStreamBuilder<Object>> {
    let object = Object {
        store,
        file: file.clone(),
    };
    let builder = ParquetRecordBatchStreamBuilder::new(object).await;
    builder.map_err(|error| unreadable(file, &error))
}

impl ParquetReader {
    pub(super) async fn open(
        store: Arc<dyn ObjectStore>,
        file: &ObjectMeta,
        schema: SchemaRef,
        rows: Range<u64>,
        batch_rows: usize,
    ) -> Result<Self> {
        let builder = builder(store, file).await?;
        let adapter = Adapter::new(builder.schema(), schema, file)?;
        let mask = projection(builder.parquet_schema(), adapter.schema().fields());
        let selection = Selection::new(builder.metadata(), &rows);
        let stream = builder
            .with_projection(mask)
            .with_row_groups(selection.row_groups)
            .with_offset(selection.offset)
            .with_limit(selection.limit)
            .with_batch_size(batch_rows.max(1))
            .build()
            .map_err(|error| unreadable(file, &error))?;
        Ok(Self {
            file: file.clone(),
            stream,
            adapter,
            position: rows.start,
        })
    }
}

#[async_trait]
impl FileReader for ParquetReader {
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        match self.stream.next().await {
            None => Ok(None),
            Some(Err(error)) => {
                let place = format!("at or after row {}", self.position);
                Err(unreadable(&self.file, &error).at(&place))
            }
            Some(Ok(batch)) => {
                let adapted = self.adapter.adapt(&batch).map_err(|error| {
                    let last = self.position + batch.num_rows() as u64;
                    error.at(&format!(
                        "file '{}', rows {}..{last}",
                        self.file.location, self.position
                    ))
                })?;
                self.position += batch.num_rows() as u64;
                Ok(Some(adapted))
            }
        }
    }

    fn position(&self) -> u64 {
        self.position
    }
}

/// The ranges of rows of the file's row groups.
pub(super) async fn row_groups(
    store: Arc<dyn ObjectStore>,
    file: &ObjectMeta,
) -> Result<Vec<Range<u64>>> {
    let builder = builder(store, file).await?;
    Ok(ranges(builder.metadata()).collect())
}

fn ranges(metadata: &ParquetMetaData) -> impl Iterator<Item = Range<u64>> {
    let groups = metadata.row_groups().iter();
    groups.scan(0u64, |next, group| {
        let start = *next;
        *next += u64::try_from(group.num_rows()).unwrap_or(0);
        Some(start..*next)
    })
}

/// The row groups that hold a range of rows, and the range within them.
struct Selection {
    row_groups: Vec<usize>,
    offset: usize,
    limit: usize,
}

impl Selection {
    fn new(metadata: &ParquetMetaData, rows: &Range<u64>) -> Self {
        let mut selection = Self {
            row_groups: Vec::new(),
            offset: 0,
            limit: 0,
        };
        for (number, group) in ranges(metadata).enumerate() {
            let (start, end) = (group.start.max(rows.start), group.end.min(rows.end));
            if start >= end {
                continue;
            }
            if selection.row_groups.is_empty() {
                selection.offset = (start - group.start) as usize;
            }
            selection.row_groups.push(number);
            selection.limit += (end - start) as usize;
        }
        selection
    }
}

/// The leaf columns that `wanted` consists of.
fn projection(file: &SchemaDescriptor, wanted: &Fields) -> ProjectionMask {
    let mut paths = Vec::new();
    for field in wanted {
        collect(vec![field.name().clone()], field.data_type(), &mut paths);
    }
    let leaves = file.columns().iter().enumerate().filter(|(_, column)| {
        paths
            .iter()
            .any(|path| column.path().parts().starts_with(path))
    });
    ProjectionMask::leaves(file, leaves.map(|(leaf, _)| leaf))
}

/// The paths that a column asks for: fields of nested rows one by one, anything else as a whole.
fn collect(path: Vec<String>, data_type: &DataType, paths: &mut Vec<Vec<String>>) {
    match data_type {
        DataType::Struct(fields) if !fields.is_empty() => {
            for field in fields {
                let mut path = path.clone();
                path.push(field.name().clone());
                collect(path, field.data_type(), paths);
            }
        }
        _ => paths.push(path),
    }
}
