//! Rounding of numbers by their decimal digits.

/// What becomes of the digits that go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::functions) enum Rounding {
    /// To the nearest; halves go away from zero.
    HalfUp,
    /// Towards zero.
    Cut,
}

/// Powers of ten that a decimal can be divided by.
pub(in crate::functions) fn power_of_ten(exponent: u32) -> Option<i128> {
    10_i128.checked_pow(exponent)
}

/// A number without its last `digits` digits, that is divided by a power of ten.
pub(in crate::functions) fn without_digits(value: i128, digits: u32, rounding: Rounding) -> i128 {
    let Some(unit) = power_of_ten(digits) else {
        return 0;
    };
    let (quotient, rest) = (value / unit, value % unit);
    match rounding {
        Rounding::HalfUp if rest.unsigned_abs() >= unit.unsigned_abs().div_ceil(2) && unit > 1 => {
            quotient + value.signum()
        }
        _ => quotient,
    }
}

/// A DOUBLE with so many digits behind the point; before it, if `places` is negative. It is
/// rounded as it is shown: 2.345 to 2.35, though it is stored as a little less than that.
pub(in crate::functions) fn rounded(value: f64, places: i64, rounding: Rounding) -> f64 {
    if !value.is_finite() || value == 0.0 {
        return value;
    }
    if let Some(result) = plainly_rounded(value, places, rounding) {
        return result;
    }
    match fixed(&value.to_string(), places, rounding) {
        // Adding zero turns a negative zero into a plain one.
        Ok(text) => text.parse().map_or(value, |result: f64| result + 0.0),
        Err(TooLong) => value,
    }
}

/// The same by multiplication, where the result cannot depend on how the value is stored.
fn plainly_rounded(value: f64, places: i64, rounding: Rounding) -> Option<f64> {
    const EXACT: f64 = 1e9;
    const NEAR: f64 = 1e-6;
    let places = i32::try_from(places)
        .ok()
        .filter(|places| (0..=15).contains(places))?;
    let unit = 10_f64.powi(places);
    let scaled = value * unit;
    if scaled.abs() >= EXACT {
        return None;
    }
    let fraction = scaled.abs().fract();
    let doubtful = match rounding {
        Rounding::HalfUp => (fraction - 0.5).abs() < NEAR,
        Rounding::Cut => !(NEAR..=1.0 - NEAR).contains(&fraction),
    };
    if doubtful {
        return None;
    }
    let whole = match rounding {
        Rounding::HalfUp => scaled.round(),
        Rounding::Cut => scaled.trunc(),
    };
    Some(whole / unit + 0.0)
}

/// The number has more digits than an exact one can have.
#[derive(Debug)]
pub(in crate::functions) struct TooLong;

/// A plain decimal text such as `-12.345` with `places` digits behind the point.
pub(in crate::functions) fn fixed(
    text: &str,
    places: i64,
    rounding: Rounding,
) -> Result<String, TooLong> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let scale = i64::try_from(fraction.len()).map_err(|_| TooLong)?;
    let mut all: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
    if all.len() > 2_000 || places > 2_000 {
        return Err(TooLong);
    }
    // How many digits go, or how many zeros come.
    let gone = scale.saturating_sub(places);
    if let Ok(gone) = usize::try_from(gone) {
        let kept = all.len().saturating_sub(gone);
        let up = rounding == Rounding::HalfUp
            && gone <= all.len()
            && all.get(kept).is_some_and(|digit| *digit >= b'5');
        all.truncate(kept);
        if up {
            increment(&mut all);
        }
    } else {
        all.extend((gone..0).map(|_| b'0'));
    }
    // Zeros for the digits before the point that went; 400 are more than a DOUBLE has.
    let zeros = usize::try_from(places.saturating_neg())
        .unwrap_or(0)
        .min(400);
    all.extend(std::iter::repeat_n(b'0', zeros));
    let behind = usize::try_from(places).unwrap_or(0);
    let mut out = String::with_capacity(all.len() + 4);
    out.push_str(sign);
    let missing = (behind + 1).saturating_sub(all.len());
    let padded: Vec<u8> = std::iter::repeat_n(b'0', missing).chain(all).collect();
    let point = padded.len() - behind;
    for (index, digit) in padded.into_iter().enumerate() {
        if index == point {
            out.push('.');
        }
        out.push(char::from(digit));
    }
    Ok(out)
}

/// The next number, of digits.
fn increment(digits: &mut Vec<u8>) {
    for digit in digits.iter_mut().rev() {
        if *digit < b'9' {
            *digit += 1;
            return;
        }
        *digit = b'0';
    }
    digits.insert(0, b'1');
}
