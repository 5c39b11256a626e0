//! What a checkpoint keeps of the rows between two barriers.
//!
//! ```text
//!  magic LVDB | version u8 | checkpoint u64 | lineage | sink | staged tables | batches | crc32 u32
//! ```
//!
//! Integers are little endian; a text or batch has its length (u32) in front, a list its count (u32).
//! Batches are Arrow IPC streams. The checksum covers all before it.

use arrow::array::RecordBatch;
use bytes::{Buf, BufMut};
use levada_engine::element::Batch;
use levada_engine::exchange::frame::{decode_batch, encode_batch};
use levada_engine::graph::WireBytes;
use levada_engine::{EngineError, Result};

const MAGIC: &[u8] = b"LVDB";
const VERSION: u8 = 1;

/// The rows of one sink between two barriers.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Epoch {
    /// Names the run of the sink that prepared it.
    pub lineage: String,
    /// Names the sink: the operator's uid and the subtask.
    pub sink: String,
    /// The checkpoint that begins behind the rows.
    pub checkpoint: u64,
    /// Tables of the database in which earlier rows wait.
    pub staged: Vec<String>,
    pub rows: Vec<RecordBatch>,
}

impl Epoch {
    /// Whether there is nothing to write.
    pub(super) fn is_empty(&self) -> bool {
        self.staged.is_empty() && self.rows.is_empty()
    }

    pub(super) fn encode(&self) -> Result<WireBytes> {
        let mut out = Vec::new();
        out.put_slice(MAGIC);
        out.put_u8(VERSION);
        out.put_u64_le(self.checkpoint);
        put_bytes(&mut out, self.lineage.as_bytes())?;
        put_bytes(&mut out, self.sink.as_bytes())?;
        out.put_u32_le(length(self.staged.len())?);
        for table in &self.staged {
            put_bytes(&mut out, table.as_bytes())?;
        }
        out.put_u32_le(length(self.rows.len())?);
        for rows in &self.rows {
            put_bytes(&mut out, &encode_batch(&Batch::inserts(rows.clone()))?)?;
        }
        let checksum = crc32fast::hash(&out);
        out.put_u32_le(checksum);
        Ok(WireBytes(out))
    }

    pub(super) fn decode(bytes: &WireBytes) -> Result<Self> {
        let unreadable = |why: &str| {
            EngineError::checkpoint(format!(
                "the rows of a database table in the checkpoint are unreadable: {why}"
            ))
        };
        let content = bytes.0.len().checked_sub(4);
        let (content, mut checksum) = content
            .and_then(|at| bytes.0.split_at_checked(at))
            .ok_or_else(|| unreadable("they are cut off"))?;
        if checksum.get_u32_le() != crc32fast::hash(content) {
            return Err(unreadable("their checksum is wrong"));
        }
        let mut rest = content
            .strip_prefix(MAGIC)
            .ok_or_else(|| unreadable("they are something else"))?;
        match rest.try_get_u8() {
            Ok(VERSION) => {}
            Ok(version) => {
                return Err(unreadable(&format!("they are of version {version}"))
                    .with_hint("restore with the version of Levada that wrote the checkpoint, or a later one"));
            }
            Err(_) => return Err(unreadable("they are cut off")),
        }
        Self::decode_content(&mut rest).ok_or_else(|| unreadable("they are cut off"))?
    }

    /// `None` if something is missing.
    fn decode_content(rest: &mut &[u8]) -> Option<Result<Self>> {
        let checkpoint = rest.try_get_u64_le().ok()?;
        let lineage = take_text(rest)?;
        let sink = take_text(rest)?;
        let mut staged = Vec::new();
        for _ in 0..rest.try_get_u32_le().ok()? {
            staged.push(take_text(rest)?);
        }
        let mut rows = Vec::new();
        for _ in 0..rest.try_get_u32_le().ok()? {
            match decode_batch(take_bytes(rest)?) {
                Ok(batch) => rows.push(batch.into_parts().0),
                Err(error) => return Some(Err(EngineError::checkpoint(error.message))),
            }
        }
        rest.is_empty().then_some(Ok(Self {
            lineage,
            sink,
            checkpoint,
            staged,
            rows,
        }))
    }
}

fn length(length: usize) -> Result<u32> {
    u32::try_from(length)
        .map_err(|_| EngineError::resource("the rows between two checkpoints are too many to keep"))
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) -> Result<()> {
    out.put_u32_le(length(bytes.len())?);
    out.put_slice(bytes);
    Ok(())
}

fn take_bytes<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(rest.try_get_u32_le().ok()?).ok()?;
    let (taken, behind) = rest.split_at_checked(length)?;
    *rest = behind;
    Some(taken)
}

fn take_text(rest: &mut &[u8]) -> Option<String> {
    String::from_utf8(take_bytes(rest)?.to_vec()).ok()
}
