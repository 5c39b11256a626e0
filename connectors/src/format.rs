//! Formats: what the bytes of a message or a file mean.
//!
//! ```text
//!              ┌── Format::Rows(json | csv | raw) ── decoder(schema) ──► Decoder   messages or byte streams → RecordBatch
//! 'format' = … ┤                                  └─ encoder(schema) ──► Encoder   RecordBatch → payloads or lines
//!              └── Format::Files(parquet) ── open(file, schema) ──► FileReader     whole files → RecordBatch
//!                                         └─ writer(schema)     ──► FileWriter     RecordBatch → a file's bytes
//! ```
//!
//! A *row format* writes each row by itself, so it can be used for messages (one payload, normally one
//! row) and for streams of bytes (rows one after the other in a file). A *file format* gives meaning
//! only to a file as a whole.
//!
//! # Types
//! The schema that a caller hands in decides what is decoded: only its columns, at every depth of
//! nested rows, are looked for and built. SQL types are these Arrow types:
//!
//! | SQL | Arrow |
//! |---|---|
//! | BOOLEAN | Boolean |
//! | TINYINT, SMALLINT, INT, BIGINT | Int8, Int16, Int32, Int64 |
//! | FLOAT, DOUBLE | Float32, Float64 |
//! | DECIMAL(p, s) | Decimal128(p, s) |
//! | CHAR, VARCHAR, STRING | Utf8 |
//! | BINARY, VARBINARY, BYTES | Binary |
//! | DATE | Date32 |
//! | TIME(p) | Time32(Millisecond) for p ≤ 3, else Time64(Microsecond) |
//! | TIMESTAMP(p) | Timestamp without zone, in milliseconds for p ≤ 3, microseconds ≤ 6, nanoseconds ≤ 9 |
//! | TIMESTAMP_LTZ(p) | the same with the zone `UTC` |
//! | ARRAY, MAP, ROW | List, Map, Struct |
//!
//! A column that is absent from a row is NULL, unless an option of the format says that this is an error.
//!
//! # Rows that cannot be decoded
//! [`OnBadRow`] says what becomes of them: the job fails with an error that says where the row stands,
//! they are left out and counted, or they are collected for the caller with their payload, position
//! and error. A row is decoded whole or not at all: nothing of a bad row stays in the columns.

mod block;
mod cells;
pub(crate) mod column;
mod contract;
pub mod csv;
mod fault;
pub mod json;
mod ledger;
pub mod parquet;
pub mod raw;
mod registry;
pub(crate) mod scalar;

pub(crate) use contract::MOST_BYTES;
pub use contract::{
    BadRow, Decoder, Encoded, Encoder, FileFormat, FileReader, FileWriter, Framing, Input,
    OnBadRow, Position, RowFormat,
};
pub(crate) use ledger::bad_rows;
pub use registry::{Format, IDENTIFIERS};
