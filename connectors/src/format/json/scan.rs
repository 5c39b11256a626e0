//! Finding the end of a string, 32 bytes at a time.

/// The first byte at or after `from` that a string cannot simply contain: a quote, a backslash or a
/// control character. `bytes.len()` if there is none.
#[inline(always)]
pub(super) fn string_stop(bytes: &[u8], from: usize) -> usize {
    let mut rest = bytes.get(from..).unwrap_or_default();
    while let Some((block, behind)) = rest.split_first_chunk::<32>() {
        let stops = stops(block);
        if stops != 0 {
            return bytes.len() - rest.len() + stops.trailing_zeros() as usize;
        }
        rest = behind;
    }
    let stop = rest
        .iter()
        .position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20));
    bytes.len() - rest.len() + stop.unwrap_or(rest.len())
}

/// A bit for each of the 32 bytes, set where a string stops.
#[inline(always)]
fn stops(block: &[u8; 32]) -> u32 {
    match block.as_chunks::<16>().0 {
        [first, second] => stops_of_16(first) | (stops_of_16(second) << 16),
        _ => 0,
    }
}

/// A bit for each of the sixteen bytes, set where a string stops.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn stops_of_16(block: &[u8; 16]) -> u32 {
    // SAFETY: the function needs nothing but SSE2, which every x86-64 processor has.
    unsafe { stops_sse2(block) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "sse2")]
#[inline]
fn stops_sse2(block: &[u8; 16]) -> u32 {
    use std::arch::x86_64::{
        _mm_cmpeq_epi8, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128, _mm_set_epi64x,
        _mm_set1_epi8,
    };
    let bits = u128::from_le_bytes(*block);
    let bytes = _mm_set_epi64x((bits >> 64) as i64, bits as i64);
    let quotes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'"' as i8));
    let backslashes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'\\' as i8));
    let controls = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
    _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quotes, backslashes), controls)) as u32
}

/// The same without vector instructions of a known kind; compilers turn the loop into them.
#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
fn stops_of_16(block: &[u8; 16]) -> u32 {
    let mut bits = 0;
    for (i, byte) in block.iter().enumerate() {
        bits |= u32::from(*byte == b'"' || *byte == b'\\' || *byte < 0x20) << i;
    }
    bits
}
