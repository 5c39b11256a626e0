//! PostgreSQL's binary COPY format: a header, rows of values with their lengths, an end mark.

pub(super) mod read;
pub(super) mod write;

/// What every stream begins with; eleven bytes, followed by flags and the length of an extension.
const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";
/// Where PostgreSQL's calendar begins, in days and in microseconds after 1970-01-01.
const EPOCH_DAYS: i32 = 10_957;
const EPOCH_MICROS: i64 = EPOCH_DAYS as i64 * 86_400_000_000;
