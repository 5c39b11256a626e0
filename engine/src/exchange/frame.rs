//! How elements are written to a connection.
//!
//! A connection starts with [`Hello`]; then frames follow, each `length: u32 | crc32: u32 | kind: u8
//! | body`, integers little endian, the length counting all behind it, the checksum covering kind
//! and body. Anything else ends the connection.

use std::io::Cursor;

use arrow::array::{ArrayRef, RecordBatch, UInt8Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema};
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use bytes::{Buf, BufMut, Bytes, BytesMut};
use serde::{Deserialize, Serialize};

use crate::element::{Barrier, BarrierKind, Batch, Element};
use crate::error::{EngineError, Result};
use crate::graph::execution::ChannelId;
use crate::graph::{EdgeId, JobId};

/// The first bytes of every data connection.
pub const MAGIC: [u8; 8] = *b"LEVADA\x00\x01";
/// The longest frame that is read, in bytes.
pub const MAX_FRAME: usize = 512 << 20;
/// The longest greeting that is read, in bytes.
pub const MAX_HELLO: usize = 64 << 10;

/// The name of the row-kind column on the wire.
const KINDS: &str = "\u{0}kinds";

/// Who connects, and for which run of which job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Must be equal on both sides.
    pub version: String,
    /// The job.
    pub job: JobId,
    /// The run of the job; a connection of an old run is refused.
    pub attempt: u32,
    /// The worker that connects.
    pub worker: String,
}

/// What a frame says.
#[derive(Debug)]
pub enum Frame {
    /// An element on a channel, which cost so much credit.
    Element {
        /// The channel.
        channel: ChannelId,
        /// The credit that it cost, in bytes.
        cost: u32,
        /// The element.
        element: Element,
    },
    /// Credit that comes back.
    Grant {
        /// The channel.
        channel: ChannelId,
        /// In bytes.
        bytes: u32,
    },
}

const BATCH: u8 = 1;
const WATERMARK: u8 = 2;
const BARRIER: u8 = 3;
const IDLE: u8 = 4;
const END: u8 = 5;
const GRANT: u8 = 6;
/// When a barrier overtakes that never does.
const NEVER: i64 = i64::MAX;

fn put_channel(out: &mut BytesMut, channel: ChannelId) {
    out.put_u32_le(channel.edge.0);
    out.put_u32_le(channel.from);
    out.put_u32_le(channel.to);
}

/// Appends a frame with its length.
pub fn encode(frame: &Frame, out: &mut BytesMut) -> Result<()> {
    let start = out.len();
    out.put_u64_le(0); // the length and the checksum, when they are known
    match frame {
        Frame::Grant { channel, bytes } => {
            out.put_u8(GRANT);
            put_channel(out, *channel);
            out.put_u32_le(*bytes);
        }
        Frame::Element {
            channel,
            cost,
            element,
        } => {
            out.put_u8(match element {
                Element::Batch(_) => BATCH,
                Element::Watermark(_) => WATERMARK,
                Element::Barrier(_) => BARRIER,
                Element::Idle => IDLE,
                Element::EndOfInput => END,
            });
            put_channel(out, *channel);
            out.put_u32_le(*cost);
            encode_body(element, out)?;
        }
    }
    let length = out.len() - start - 4;
    if length > MAX_FRAME {
        return Err(EngineError::network(format!(
            "a frame of {length} bytes is too long"
        )));
    }
    let crc32 = crc32fast::hash(&out[start + 8..]);
    out[start..start + 4].copy_from_slice(&(length as u32).to_le_bytes());
    out[start + 4..start + 8].copy_from_slice(&crc32.to_le_bytes());
    Ok(())
}

fn encode_body(element: &Element, out: &mut BytesMut) -> Result<()> {
    match element {
        Element::Batch(batch) => out.extend_from_slice(&encode_batch(batch)?),
        Element::Watermark(watermark) => out.put_i64_le(*watermark),
        Element::Barrier(barrier) => {
            out.put_u64_le(barrier.checkpoint_id);
            out.put_u8(match barrier.kind {
                BarrierKind::Checkpoint => 0,
                BarrierKind::Final => 1,
                BarrierKind::Savepoint => 2,
            });
            out.put_i64_le(barrier.overtakes_at_ms.unwrap_or(NEVER));
        }
        Element::Idle | Element::EndOfInput => {}
    }
    Ok(())
}

/// Elements as frames, one after the other, for a file.
pub fn encode_elements(elements: Vec<Element>, out: &mut BytesMut) -> Result<()> {
    let channel = ChannelId {
        edge: EdgeId(0),
        from: 0,
        to: 0,
    };
    for element in elements {
        let frame = Frame::Element {
            channel,
            cost: 0,
            element,
        };
        encode(&frame, out)?;
    }
    Ok(())
}

/// Reads what [`encode_elements`] has written.
pub fn decode_elements(mut bytes: Bytes) -> Result<Vec<Element>> {
    let broken = || EngineError::network("a frame is cut off");
    let mut elements = Vec::new();
    while bytes.has_remaining() {
        let length = bytes.try_get_u32_le().map_err(|_| broken())? as usize;
        if length > bytes.remaining() {
            return Err(broken());
        }
        match decode(bytes.split_to(length))? {
            Frame::Element { element, .. } => elements.push(element),
            Frame::Grant { .. } => return Err(broken()),
        }
    }
    Ok(elements)
}

/// Reads a frame behind its length.
pub fn decode(mut body: Bytes) -> Result<Frame> {
    let broken = || EngineError::network("a malformed frame arrived");
    if body.remaining() < 4 + 17 {
        return Err(broken());
    }
    if body.get_u32_le() != crc32fast::hash(&body) {
        return Err(EngineError::network(
            "a frame arrived with a wrong checksum",
        ));
    }
    let kind = body.get_u8();
    let edge = EdgeId(body.get_u32_le());
    let channel = ChannelId {
        edge,
        from: body.get_u32_le(),
        to: body.get_u32_le(),
    };
    let cost = body.get_u32_le();
    let element = match kind {
        GRANT => {
            return Ok(Frame::Grant {
                channel,
                bytes: cost,
            });
        }
        BATCH => Element::Batch(decode_batch(&body)?),
        WATERMARK if body.remaining() == 8 => Element::Watermark(body.get_i64_le()),
        BARRIER if body.remaining() == 17 => {
            let checkpoint_id = body.get_u64_le();
            let kind = match body.get_u8() {
                0 => BarrierKind::Checkpoint,
                1 => BarrierKind::Final,
                2 => BarrierKind::Savepoint,
                _ => return Err(broken()),
            };
            Element::Barrier(Barrier {
                checkpoint_id,
                kind,
                overtakes_at_ms: Some(body.get_i64_le()).filter(|at| *at != NEVER),
            })
        }
        IDLE => Element::Idle,
        END => Element::EndOfInput,
        _ => return Err(broken()),
    };
    Ok(Frame::Element {
        channel,
        cost,
        element,
    })
}

/// A batch as an Arrow IPC stream; row kinds travel as a last column.
pub fn encode_batch(batch: &Batch) -> Result<Vec<u8>> {
    let rows = match batch.kinds() {
        None => batch.rows().clone(),
        Some(kinds) => {
            let schema = batch.schema();
            let mut fields = schema.fields().to_vec();
            fields.push(Field::new(KINDS, DataType::UInt8, false).into());
            let mut columns: Vec<ArrayRef> = batch.rows().columns().to_vec();
            columns.push(std::sync::Arc::new(kinds.clone()));
            RecordBatch::try_new(std::sync::Arc::new(Schema::new(fields)), columns)?
        }
    };
    let mut writer = StreamWriter::try_new(Vec::new(), &rows.schema())?;
    writer.write(&rows)?;
    Ok(writer.into_inner()?)
}

/// Reads what [`encode_batch`] wrote.
pub fn decode_batch(bytes: &[u8]) -> Result<Batch> {
    // Arrow's reader panics on some malformed schemas; a peer must not be able to do that to us.
    std::panic::catch_unwind(|| decode_stream(bytes))
        .unwrap_or_else(|_| Err(EngineError::network("a malformed batch arrived")))
}

fn decode_stream(bytes: &[u8]) -> Result<Batch> {
    let broken = |e: String| EngineError::network("a malformed batch arrived").with_detail(e);
    let mut reader =
        StreamReader::try_new(Cursor::new(bytes), None).map_err(|e| broken(e.to_string()))?;
    let rows = match reader.next() {
        Some(rows) => rows.map_err(|e| broken(e.to_string()))?,
        None => return Err(broken("it has no rows".into())),
    };
    let last = rows.num_columns().checked_sub(1);
    let Some(last) = last.filter(|i| rows.schema().field(*i).name() == KINDS) else {
        return Ok(Batch::inserts(rows));
    };
    let kinds = cast(rows.column(last), &DataType::UInt8)?;
    let kinds = UInt8Array::from(kinds.to_data());
    let columns: Vec<usize> = (0..last).collect();
    Ok(Batch::from_parts(rows.project(&columns)?, Some(kinds)))
}
