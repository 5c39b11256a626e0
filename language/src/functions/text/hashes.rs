//! Hashes of texts and bytes, as hexadecimal digits.

use arrow::array::ArrayRef;
use datafusion::common::Result;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

use super::encoding::push_hex;
use crate::functions::scalar::{Call, evaluation};

pub(super) fn md5(call: &Call<'_>) -> Result<ArrayRef> {
    hashed::<Md5>(call)
}

pub(super) fn sha1(call: &Call<'_>) -> Result<ArrayRef> {
    hashed::<Sha1>(call)
}

pub(super) fn sha224(call: &Call<'_>) -> Result<ArrayRef> {
    hashed::<Sha224>(call)
}

pub(super) fn sha256(call: &Call<'_>) -> Result<ArrayRef> {
    hashed::<Sha256>(call)
}

pub(super) fn sha384(call: &Call<'_>) -> Result<ArrayRef> {
    hashed::<Sha384>(call)
}

pub(super) fn sha512(call: &Call<'_>) -> Result<ArrayRef> {
    hashed::<Sha512>(call)
}

fn hashed<D: Digest>(call: &Call<'_>) -> Result<ArrayRef> {
    let bytes = call.bytes(0)?;
    call.written_column(|row, out| {
        let Some(bytes) = bytes.get(row) else {
            return Ok(false);
        };
        push_digest::<D>(bytes, out);
        Ok(true)
    })
}

fn push_digest<D: Digest>(bytes: &[u8], out: &mut String) {
    push_hex(&D::digest(bytes), b"0123456789abcdef", out);
}

/// SHA2(value, bits): the hash of 224, 256, 384 or 512 bits.
pub(super) fn sha2(call: &Call<'_>) -> Result<ArrayRef> {
    let (bytes, lengths) = (call.bytes(0)?, call.ints(1)?);
    call.written_column(|row, out| {
        let (Some(bytes), Some(length)) = (bytes.get(row), lengths.get(row)) else {
            return Ok(false);
        };
        match length {
            224 => push_digest::<Sha224>(bytes, out),
            256 => push_digest::<Sha256>(bytes, out),
            384 => push_digest::<Sha384>(bytes, out),
            512 => push_digest::<Sha512>(bytes, out),
            other => {
                return Err(evaluation(format!(
                    "SHA2 has no hash of {other} bits; they are 224, 256, 384 or 512"
                )));
            }
        }
        Ok(true)
    })
}
