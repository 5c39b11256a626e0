//! Numbers as text.
//!
//! Integers of up to eight digits are converted eight bytes at a time within a machine word (the
//! method is Johnny Lee's, described by Daniel Lemire as "parsing eight digits with three
//! multiplications").

#[cfg(test)]
mod tests;

/// Why a text is not a number of the wanted type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NumberError {
    /// It is not a number at all.
    Malformed,
    /// It is too large for the type.
    Overflow,
    /// It has a fraction, and the type has none.
    Fraction,
}

impl NumberError {
    /// The end of the sentence "the value … ".
    pub(crate) fn reason(self, type_name: &str) -> String {
        match self {
            NumberError::Malformed => format!("is not a {type_name}"),
            NumberError::Overflow => format!("does not fit into {type_name}"),
            NumberError::Fraction => format!("has a fraction, which {type_name} cannot hold"),
        }
    }
}

const ZEROS: u64 = 0x3030_3030_3030_3030;
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// How many of the eight bytes are digits, from the first on, and what number these digits make.
#[inline(always)]
pub(crate) fn leading_digits(bytes: [u8; 8]) -> (u32, u64) {
    let values = u64::from_le_bytes(bytes) ^ ZEROS;
    // A byte is a digit if its value is at most 9: adding 0x76 must not reach the high bit.
    let others = ((values & !HIGH_BITS).wrapping_add(0x7676_7676_7676_7676) | values) & HIGH_BITS;
    let count = others.trailing_zeros() / 8;
    if count == 0 {
        return (0, 0);
    }
    // The digits move to the end of the word; zeros come in at its beginning.
    let aligned = values << (64 - 8 * count);
    (count, eight_digits(aligned))
}

/// The number that eight digit values make, the first in the lowest byte.
#[inline(always)]
fn eight_digits(values: u64) -> u64 {
    let pairs = values.wrapping_mul(10).wrapping_add(values >> 8);
    let low = (pairs & 0x0000_00ff_0000_00ff).wrapping_mul(0x000f_4240_0000_0064);
    let high = ((pairs >> 16) & 0x0000_00ff_0000_00ff).wrapping_mul(0x0000_2710_0000_0001);
    low.wrapping_add(high) >> 32
}

/// An integer with an optional sign. A fraction or exponent is accepted if the value is whole.
pub(crate) fn integer(text: &[u8]) -> Result<i64, NumberError> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    if digits.is_empty() {
        return Err(NumberError::Malformed);
    }
    // Counted downwards, because the negative numbers reach one further.
    let mut value = 0i64;
    for &byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return whole(text);
        }
        value = match value
            .checked_mul(10)
            .and_then(|v| v.checked_sub(i64::from(digit)))
        {
            Some(value) => value,
            None => return whole(text),
        };
    }
    if negative {
        Ok(value)
    } else {
        value.checked_neg().ok_or(NumberError::Overflow)
    }
}

/// An integer that is written with a fraction or an exponent, such as `1e3` or `7.0`.
fn whole(text: &[u8]) -> Result<i64, NumberError> {
    let (value, exact) = scaled(text, 0)?;
    if !exact {
        return Err(NumberError::Fraction);
    }
    i64::try_from(value).map_err(|_| NumberError::Overflow)
}

/// A decimal number of at most `precision` digits, `scale` of them behind the point, as a multiple
/// of `10^-scale`. Digits behind that are rounded half away from zero.
pub(crate) fn decimal(text: &[u8], precision: u8, scale: i8) -> Result<i128, NumberError> {
    let (value, _) = scaled(text, i64::from(scale))?;
    match 10i128.checked_pow(u32::from(precision)) {
        Some(limit) if value.unsigned_abs() >= limit.unsigned_abs() => Err(NumberError::Overflow),
        _ => Ok(value),
    }
}

/// The parts of a number's text.
struct Parts<'a> {
    negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
    exponent: i64,
}

fn parts(text: &[u8]) -> Option<Parts<'_>> {
    let (negative, rest) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let (mantissa, exponent) = match rest.iter().position(|b| matches!(b, b'e' | b'E')) {
        None => (rest, 0),
        Some(e) => (rest.get(..e)?, exponent(rest.get(e + 1..)?)?),
    };
    let (whole, fraction) = match mantissa.iter().position(|b| *b == b'.') {
        None => (mantissa, &[][..]),
        Some(point) => (mantissa.get(..point)?, mantissa.get(point + 1..)?),
    };
    let digits = whole.len() + fraction.len();
    let all_digits = whole.iter().chain(fraction).all(u8::is_ascii_digit);
    (digits > 0 && all_digits).then_some(Parts {
        negative,
        whole,
        fraction,
        exponent,
    })
}

/// An exponent, cut to a range in which the sums that follow cannot overflow.
fn exponent(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    if digits.is_empty() {
        return None;
    }
    let mut value = 0i64;
    for &byte in digits {
        if !byte.is_ascii_digit() {
            return None;
        }
        value = (value * 10 + i64::from(byte - b'0')).min(1 << 40);
    }
    Some(if negative { -value } else { value })
}

/// The number as a multiple of `10^-scale`, rounded half away from zero, and whether that is exact.
fn scaled(text: &[u8], scale: i64) -> Result<(i128, bool), NumberError> {
    let parts = parts(text).ok_or(NumberError::Malformed)?;
    // The power of ten, in units of the result, that the next digit counts.
    let mut power = parts.whole.len() as i64 - 1 + parts.exponent + scale;
    let (mut value, mut round_up, mut exact) = (0i128, false, true);
    for &byte in parts.whole.iter().chain(parts.fraction) {
        let digit = byte - b'0';
        if power >= 0 {
            value = value
                .checked_mul(10)
                .and_then(|v| v.checked_add(i128::from(digit)))
                .ok_or(NumberError::Overflow)?;
        } else {
            round_up |= power == -1 && digit >= 5;
            exact &= digit == 0;
        }
        power -= 1;
    }
    if power >= 0 && value != 0 {
        let factor = u32::try_from(power + 1)
            .ok()
            .and_then(|p| 10i128.checked_pow(p));
        value = factor
            .and_then(|f| value.checked_mul(f))
            .ok_or(NumberError::Overflow)?;
    }
    if round_up {
        value = value.checked_add(1).ok_or(NumberError::Overflow)?;
    }
    Ok((if parts.negative { -value } else { value }, exact))
}

/// A floating-point number; `NaN`, `Infinity` and `-Infinity` are accepted in any case.
pub(crate) fn double(text: &[u8]) -> Result<f64, NumberError> {
    let value: f64 = lexical_core::parse(text).map_err(|_| NumberError::Malformed)?;
    if value.is_infinite() && text.iter().any(u8::is_ascii_digit) {
        return Err(NumberError::Overflow);
    }
    Ok(value)
}

/// The same in single precision.
pub(crate) fn float(text: &[u8]) -> Result<f32, NumberError> {
    let value: f32 = lexical_core::parse(text).map_err(|_| NumberError::Malformed)?;
    if value.is_infinite() && text.iter().any(u8::is_ascii_digit) {
        return Err(NumberError::Overflow);
    }
    Ok(value)
}

/// Writes a decimal that counts `10^-scale`.
pub(crate) fn write_decimal(out: &mut Vec<u8>, value: i128, scale: i8) {
    if value < 0 {
        out.push(b'-');
    }
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(value.unsigned_abs()).as_bytes();
    let scale_digits = usize::from(scale.unsigned_abs());
    if scale <= 0 {
        out.extend_from_slice(digits);
        if value != 0 {
            out.resize(out.len() + scale_digits, b'0');
        }
        return;
    }
    let whole_digits = digits.len().saturating_sub(scale_digits);
    let (whole, fraction) = digits.split_at(whole_digits);
    out.extend_from_slice(if whole.is_empty() { b"0" } else { whole });
    out.push(b'.');
    out.resize(out.len() + (scale_digits - fraction.len()), b'0');
    out.extend_from_slice(fraction);
}

/// Writes a decimal that counts `10^-scale`, with an exponent if it would begin with more than six
/// zeros (the form in which Java's `BigDecimal` writes itself).
pub(crate) fn write_short_decimal(out: &mut Vec<u8>, value: i128, scale: i8) {
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(value.unsigned_abs()).as_bytes();
    let exponent = digits.len() as i64 - 1 - i64::from(scale);
    if scale >= 0 && exponent >= -6 {
        return write_decimal(out, value, scale);
    }
    if value < 0 {
        out.push(b'-');
    }
    let (first, rest) = digits.split_at(1.min(digits.len()));
    out.extend_from_slice(first);
    if !rest.is_empty() {
        out.push(b'.');
        out.extend_from_slice(rest);
    }
    if exponent != 0 {
        out.extend_from_slice(if exponent > 0 { b"E+" } else { b"E" });
        out.extend_from_slice(itoa::Buffer::new().format(exponent).as_bytes());
    }
}
