//! PostgreSQL's `numeric` on the wire: digits to the base of 10,000, and where the point stands.

use bytes::{Buf, BufMut, BytesMut};

const NEGATIVE: u16 = 0x4000;
const NOT_A_NUMBER: u16 = 0xc000;
/// So many digits to the base of 10,000 has a number of 128 bits at most.
const MOST_DIGITS: usize = 24;

/// Writes `value` × 10^-`scale`, without a length.
pub(super) fn encode(value: i128, scale: i8, out: &mut BytesMut) {
    let scale = u32::try_from(scale).unwrap_or(0);
    let power = 10u128.saturating_pow(scale);
    let (mut whole, mut fraction) = (value.unsigned_abs() / power, value.unsigned_abs() % power);
    // From the last digit to the first.
    let mut digits = [0u16; MOST_DIGITS];
    let mut count = 0;
    let mut push = |digit: u128| {
        if let Some(place) = digits.get_mut(count) {
            *place = u16::try_from(digit).unwrap_or(0);
            count += 1;
        }
    };
    let fraction_digits = scale.div_ceil(4);
    for index in 0..fraction_digits {
        // The last digit may be cut off in its middle.
        let decimals = match (index, scale % 4) {
            (0, rest) if rest > 0 => rest,
            _ => 4,
        };
        let base = 10u128.pow(decimals);
        push(fraction % base * 10u128.pow(4 - decimals));
        fraction /= base;
    }
    let mut weight = -1i16;
    while whole > 0 {
        push(whole % 10_000);
        whole /= 10_000;
        weight += 1;
    }
    let digits = digits.get(..count).unwrap_or_default();
    out.put_u16(u16::try_from(digits.len()).unwrap_or(0));
    out.put_i16(weight);
    out.put_u16(if value < 0 { NEGATIVE } else { 0 });
    out.put_u16(u16::try_from(scale).unwrap_or(0));
    digits.iter().rev().for_each(|digit| out.put_u16(*digit));
}

/// Reads a number as an integer × 10^-`scale`; what is wrong with it if it is none of `precision`
/// digits.
pub(super) fn decode(mut bytes: &[u8], precision: u8, scale: i8) -> Result<i128, String> {
    let malformed = || "a malformed number".to_string();
    if bytes.len() < 8 {
        return Err(malformed());
    }
    let count = bytes.get_u16();
    let weight = bytes.get_i16();
    let sign = bytes.get_u16();
    let _display_scale = bytes.get_u16();
    if sign == NOT_A_NUMBER {
        return Err("'NaN'".to_string());
    }
    if sign != 0 && sign != NEGATIVE {
        return Err("'Infinity'".to_string());
    }
    if bytes.len() != usize::from(count) * 2 {
        return Err(malformed());
    }
    let mut value = 0i128;
    for index in 0..i32::from(count) {
        let digit = i128::from(bytes.get_u16());
        if digit == 0 {
            continue;
        }
        let exponent = (i32::from(weight) - index) * 4 + i32::from(scale);
        let part = match u32::try_from(exponent) {
            Ok(exponent) => 10i128
                .checked_pow(exponent)
                .and_then(|power| power.checked_mul(digit)),
            Err(_) if exponent > -4 => {
                let divisor = 10i128.pow(exponent.unsigned_abs());
                (digit % divisor == 0).then_some(digit / divisor)
            }
            Err(_) => None,
        };
        let sum = part.and_then(|part| value.checked_add(part));
        value = sum.ok_or_else(|| match exponent < 0 {
            true => format!("a number with more than {scale} decimals"),
            false => "a number that is too large".to_string(),
        })?;
    }
    if value >= 10i128.saturating_pow(u32::from(precision)) {
        return Err("a number that is too large".to_string());
    }
    Ok(if sign == NEGATIVE { -value } else { value })
}
