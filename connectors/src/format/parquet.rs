//! Parquet: whole files of columns.
//!
//! Only the columns that a query reads are fetched and decoded, at every depth of nested rows. A
//! place in a file is the number of a row; row groups in front of it are not touched. Files that
//! other programs wrote may hold wider or narrower types than the table declares: values are
//! converted, and one that does not fit is an error.

mod adapt;
mod object;
mod read;
mod write;

#[cfg(test)]
mod tests;

use std::ops::Range;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use levada_engine::{EngineError, Result};
use object_store::{ObjectMeta, ObjectStore};
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use crate::format::{FileFormat, FileReader, FileWriter};
use crate::options::Options;

/// The format `parquet`.
#[derive(Debug, Clone)]
pub struct Parquet {
    compression: Compression,
    row_group_bytes: usize,
    page_bytes: usize,
    dictionary: bool,
}

impl Default for Parquet {
    fn default() -> Self {
        Self {
            compression: Compression::SNAPPY,
            row_group_bytes: 128 << 20,
            page_bytes: 1 << 20,
            dictionary: true,
        }
    }
}

impl Parquet {
    /// Reads the options `{prefix}parquet.…`.
    pub fn from_options(prefix: &str, options: &mut Options) -> Result<Self> {
        let name = |option: &str| format!("{prefix}parquet.{option}");
        let compressions = [
            ("UNCOMPRESSED", Compression::UNCOMPRESSED),
            ("SNAPPY", Compression::SNAPPY),
            ("ZSTD", Compression::ZSTD(ZstdLevel::default())),
            ("LZ4", Compression::LZ4_RAW),
            ("LZ4_RAW", Compression::LZ4_RAW),
        ];
        let default = Self::default();
        let compression = options.choice(&name("compression"), &compressions)?;
        Ok(Self {
            compression: compression.unwrap_or(default.compression),
            row_group_bytes: size(options, &name("block.size"), default.row_group_bytes)?,
            page_bytes: size(options, &name("page.size"), default.page_bytes)?,
            dictionary: options.boolean(&name("enable.dictionary"), default.dictionary)?,
        })
    }

    fn writer_properties(&self) -> WriterProperties {
        WriterProperties::builder()
            .set_created_by("Levada".to_string())
            .set_compression(self.compression)
            .set_max_row_group_bytes(Some(self.row_group_bytes))
            .set_data_page_size_limit(self.page_bytes)
            .set_dictionary_enabled(self.dictionary)
            .build()
    }
}

/// A size in bytes of at least one kilobyte.
fn size(options: &mut Options, name: &str, default: usize) -> Result<usize> {
    match options.bytes(name)?.map(usize::try_from) {
        None => Ok(default),
        Some(Ok(bytes)) if bytes >= 1024 => Ok(bytes),
        Some(_) => Err(options.invalid(name, "at least '1 kb'")),
    }
}

#[async_trait]
impl FileFormat for Parquet {
    fn identifier(&self) -> &'static str {
        "parquet"
    }

    async fn open(
        &self,
        store: Arc<dyn ObjectStore>,
        file: ObjectMeta,
        schema: SchemaRef,
        rows: Range<u64>,
        batch_rows: usize,
    ) -> Result<Box<dyn FileReader>> {
        let reader = read::ParquetReader::open(store, &file, schema, rows, batch_rows).await?;
        Ok(Box::new(reader))
    }

    async fn splits(
        &self,
        store: Arc<dyn ObjectStore>,
        file: ObjectMeta,
    ) -> Result<Vec<Range<u64>>> {
        read::row_groups(store, &file).await
    }

    fn writer(&self, schema: SchemaRef) -> Result<Box<dyn FileWriter>> {
        Ok(Box::new(write::ParquetWriter::new(
            schema,
            self.writer_properties(),
        )?))
    }
}

/// The error for a file that the store does not give, or whose bytes are not Parquet.
fn unreadable(file: &ObjectMeta, error: &ParquetError) -> EngineError {
    if let ParquetError::External(cause) = error {
        return EngineError::connector(format!("the file '{}' cannot be read", file.location))
            .with_detail(cause.to_string());
    }
    EngineError::data(format!(
        "the file '{}' ({} bytes) cannot be read as Parquet",
        file.location, file.size
    ))
    .with_detail(error.to_string())
    .with_hint("the file may be cut off, still being written, or of another format")
}
