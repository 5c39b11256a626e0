//! Writing a Parquet file into memory, row group by row group.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use levada_engine::{EngineError, Result};
use parquet::arrow::ArrowWriter;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use crate::format::FileWriter;

/// Writes one file.
pub(super) struct ParquetWriter {
    writer: ArrowWriter<Vec<u8>>,
}

impl ParquetWriter {
    pub(super) fn new(schema: SchemaRef, properties: WriterProperties) -> Result<Self> {
        let writer = ArrowWriter::try_new(Vec::new(), schema, Some(properties));
        Ok(Self {
            writer: writer.map_err(failed)?,
        })
    }
}

impl FileWriter for ParquetWriter {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.writer.write(batch).map_err(failed)
    }

    fn take_bytes(&mut self) -> Vec<u8> {
        // The writer counts its offsets itself and only ever appends to the vector.
        std::mem::take(self.writer.inner_mut())
    }

    fn buffered_bytes(&self) -> usize {
        self.writer.memory_size() + self.writer.inner().len()
    }

    fn finish(self: Box<Self>) -> Result<Vec<u8>> {
        self.writer.into_inner().map_err(failed)
    }
}

fn failed(error: ParquetError) -> EngineError {
    EngineError::data("the rows cannot be written as Parquet").with_detail(error.to_string())
}
