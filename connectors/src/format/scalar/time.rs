//! Dates, times of day and timestamps as text, in the SQL form (`2023-11-14 22:13:20.000`) and in
//! that of ISO 8601 (`2023-11-14T22:13:20.000`, with `Z` or an offset where it means an instant).
//!
//! Days are counted as in Howard Hinnant's "chrono-compatible low-level date algorithms".

#[cfg(test)]
mod tests;

const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// Seconds of a day.
const DAY_SECONDS: i64 = 86_400;

/// A point on the calendar, as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Seconds since 1970-01-01 00:00:00; with `zoned`, UTC.
    pub seconds: i64,
    /// Nanoseconds on top of them.
    pub nanos: u32,
    /// Whether the text names a zone (`Z` or `+02:00`), which is already taken into account.
    pub zoned: bool,
}

/// The last date read, because the next row is mostly of the same day.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DateMemo {
    text: [u8; 10],
    days: i32,
}

impl Default for DateMemo {
    fn default() -> Self {
        Self {
            text: *b"1970-01-01",
            days: 0,
        }
    }
}

impl DateMemo {
    /// The days since 1970-01-01 of `yyyy-mm-dd`.
    #[inline]
    fn days(&mut self, text: &[u8; 10]) -> Option<i32> {
        if *text != self.text {
            self.days = date(text)?;
            self.text = *text;
        }
        Some(self.days)
    }
}

/// A date `yyyy-mm-dd` as days since 1970-01-01.
pub(crate) fn date(text: &[u8]) -> Option<i32> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *text else {
        return None;
    };
    let year = two_digits(y1, y2)? * 100 + two_digits(y3, y4)?;
    let (month, day) = (two_digits(m1, m2)?, two_digits(d1, d2)?);
    let valid = (1..=12).contains(&month) && day >= 1 && day <= days_in_month(year, month);
    valid.then(|| days_from_civil(year, month, day))
}

fn days_in_month(year: i32, month: i32) -> i32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

fn days_from_civil(year: i32, month: i32, day: i32) -> i32 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn civil_from_days(days: i64) -> (i64, u32, u32) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month as u32, day as u32)
}

#[inline(always)]
fn two_digits(tens: u8, ones: u8) -> Option<i32> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens <= 9 && ones <= 9).then(|| i32::from(tens) * 10 + i32::from(ones))
}

/// A time of day `hh:mm:ss[.fraction]` (or `hh:mm`), in seconds and nanoseconds, and what follows it.
fn clock(text: &[u8]) -> Option<(i64, u32, &[u8])> {
    let [h1, h2, b':', m1, m2, rest @ ..] = text else {
        return None;
    };
    let (hour, minute) = (two_digits(*h1, *h2)?, two_digits(*m1, *m2)?);
    let (second, rest) = match rest {
        [b':', s1, s2, rest @ ..] => (two_digits(*s1, *s2)?, rest),
        rest => (0, rest),
    };
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (nanos, rest) = match rest {
        [b'.', rest @ ..] => fraction(rest)?,
        rest => (0, rest),
    };
    Some((i64::from(hour * 3600 + minute * 60 + second), nanos, rest))
}

/// One to nine digits as nanoseconds, and what follows them.
fn fraction(text: &[u8]) -> Option<(u32, &[u8])> {
    let count = text.iter().take_while(|b| b.is_ascii_digit()).count();
    if count == 0 || count > 9 {
        return None;
    }
    let (digits, rest) = text.split_at_checked(count)?;
    let value = digits
        .iter()
        .fold(0u32, |value, digit| value * 10 + u32::from(digit - b'0'));
    Some((value * 10u32.pow(9 - count as u32), rest))
}

/// A time of day as nanoseconds since midnight.
pub(crate) fn time_of_day(text: &[u8]) -> Option<i64> {
    let (seconds, nanos, rest) = clock(text)?;
    rest.is_empty()
        .then(|| seconds * 1_000_000_000 + i64::from(nanos))
}

/// A timestamp, with a blank or a `T` between date and time.
pub(crate) fn timestamp(text: &[u8], memo: &mut DateMemo) -> Option<Moment> {
    let (day, rest) = text.split_first_chunk::<10>()?;
    let days = memo.days(day)?;
    let [b' ' | b'T', rest @ ..] = rest else {
        return None;
    };
    let (seconds, nanos, zone) = clock(rest)?;
    let (zoned, offset_seconds) = if zone.is_empty() {
        (false, 0)
    } else {
        (true, offset(zone)?)
    };
    Some(Moment {
        seconds: i64::from(days) * DAY_SECONDS + seconds - offset_seconds,
        nanos,
        zoned,
    })
}

/// A timestamp in the form that most programs write, `yyyy-mm-dd hh:mm:ss.fff` (or with a `T`).
#[inline(always)]
pub(crate) fn timestamp_millis(text: &[u8; 23], memo: &mut DateMemo) -> Option<Moment> {
    let (day, rest) = text.split_first_chunk::<10>()?;
    let [b' ' | b'T', rest @ ..] = rest else {
        return None;
    };
    let (hms, fraction) = rest.split_first_chunk::<8>()?;
    let [b'.', f1, f2, f3] = fraction else {
        return None;
    };
    let days = memo.days(day)?;
    // Eight bytes at once: digits must be at most 9, colons 0, all other bits cannot be.
    let values = u64::from_le_bytes(*hms) ^ u64::from_le_bytes(*b"00:00:00");
    let above_nine = (values & !HIGH_BITS).wrapping_add(0x7676_7676_7676_7676) | values;
    let colons = values & 0x0000_ff00_00ff_0000;
    if above_nine & HIGH_BITS != 0 || colons != 0 {
        return None;
    }
    let pairs = values.wrapping_mul(10).wrapping_add(values >> 8);
    let (hour, minute, second) = (pairs & 0xff, (pairs >> 24) & 0xff, (pairs >> 48) & 0xff);
    let [f1, f2, f3] = [f1, f2, f3].map(|digit| u32::from(digit.wrapping_sub(b'0')));
    if hour > 23 || minute > 59 || second > 59 || f1.max(f2).max(f3) > 9 {
        return None;
    }
    Some(Moment {
        seconds: i64::from(days) * DAY_SECONDS + (hour * 3600 + minute * 60 + second) as i64,
        nanos: (f1 * 100 + f2 * 10 + f3) * 1_000_000,
        zoned: false,
    })
}

/// A zone offset: `Z`, `+02`, `+0200` or `+02:00`, in seconds east of UTC.
fn offset(text: &[u8]) -> Option<i64> {
    let (sign, hour, minute) = match *text {
        [b'Z' | b'z'] => return Some(0),
        [sign, h1, h2] => (sign, two_digits(h1, h2)?, 0),
        [sign, h1, h2, m1, m2] | [sign, h1, h2, b':', m1, m2] => {
            (sign, two_digits(h1, h2)?, two_digits(m1, m2)?)
        }
        _ => return None,
    };
    let seconds = i64::from(hour * 3600 + minute * 60);
    match sign {
        _ if hour > 18 || minute > 59 => None,
        b'+' => Some(seconds),
        b'-' => Some(-seconds),
        _ => None,
    }
}

fn push_two(out: &mut Vec<u8>, value: u32) {
    out.extend_from_slice(&[b'0' + (value / 10 % 10) as u8, b'0' + (value % 10) as u8]);
}

/// `digits` digits of a fraction of a second.
fn push_fraction(out: &mut Vec<u8>, nanos: u32, digits: u32) {
    out.push(b'.');
    let mut place = 100_000_000;
    for _ in 0..digits {
        out.push(b'0' + (nanos / place % 10) as u8);
        place = (place / 10).max(1);
    }
}

/// Writes `yyyy-mm-dd` for days since 1970-01-01. Years outside of 0 to 9999 get a sign.
pub(crate) fn write_date(out: &mut Vec<u8>, days: i64) {
    let (year, month, day) = civil_from_days(days);
    if (0..=9999).contains(&year) {
        push_two(out, (year / 100) as u32);
        push_two(out, (year % 100) as u32);
    } else {
        out.extend_from_slice(format!("{year:+05}").as_bytes());
    }
    out.push(b'-');
    push_two(out, month);
    out.push(b'-');
    push_two(out, day);
}

fn write_clock(out: &mut Vec<u8>, seconds: u32) {
    push_two(out, seconds / 3600);
    out.push(b':');
    push_two(out, seconds / 60 % 60);
    out.push(b':');
    push_two(out, seconds % 60);
}

/// Writes a time of day, `value` of which `per_second` make a second, with a fraction only if there
/// is one.
pub(crate) fn write_time(out: &mut Vec<u8>, value: i64, per_second: i64) {
    let value = value.rem_euclid(DAY_SECONDS * per_second);
    write_clock(out, (value / per_second) as u32);
    let fraction = value % per_second;
    if fraction != 0 {
        let nanos = (fraction * (1_000_000_000 / per_second)) as u32;
        push_fraction(out, nanos, per_second.ilog10());
    }
}

/// Writes a timestamp, `value` of which `per_second` make a second, with as many digits of the second
/// as the unit holds.
pub(crate) fn write_timestamp(out: &mut Vec<u8>, value: i64, per_second: i64, separator: u8) {
    let seconds = value.div_euclid(per_second);
    write_date(out, seconds.div_euclid(DAY_SECONDS));
    out.push(separator);
    write_clock(out, seconds.rem_euclid(DAY_SECONDS) as u32);
    if per_second > 1 {
        let nanos = (value.rem_euclid(per_second) * (1_000_000_000 / per_second)) as u32;
        push_fraction(out, nanos, per_second.ilog10());
    }
}
