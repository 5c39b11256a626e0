//! A hash that is the same in every process and every version: for names of files, and for deciding
//! which subtask something belongs to.

/// FNV-1a, 64 bits, with a final mix so that the low bits depend on all bytes.
pub(crate) fn stable(bytes: &[u8]) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in bytes {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash ^ (hash >> 32)
}
