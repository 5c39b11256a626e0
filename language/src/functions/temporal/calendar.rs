//! The proleptic Gregorian calendar and the clock, in plain integers.
//!
//! Dates are days since 1970-01-01. The conversions follow Howard Hinnant's
//! "chrono-Compatible Low-Level Date Algorithms": the year is counted from March, so that the
//! leap day is its last, in eras of 400 years.

use arrow::datatypes::TimeUnit;
use chrono::{Offset, TimeZone};
use chrono_tz::Tz;

use crate::functions::scalar::Times;

pub(super) const SECONDS_PER_DAY: i64 = 86_400;
pub(super) const NANOS_PER_SECOND: i64 = 1_000_000_000;
const DAYS_PER_ERA: i64 = 146_097;
/// Days from 0000-03-01 to 1970-01-01.
const EPOCH_FROM_ERA: i64 = 719_468;

/// A date by its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Date {
    pub(super) year: i64,
    /// 1 to 12.
    pub(super) month: u32,
    /// 1 to 31.
    pub(super) day: u32,
}

impl Date {
    pub(super) fn from_days(days: i64) -> Self {
        let shifted = days + EPOCH_FROM_ERA;
        let era = shifted.div_euclid(DAYS_PER_ERA);
        let day_of_era = shifted.rem_euclid(DAYS_PER_ERA);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * from_march + 2) / 5 + 1;
        let month = if from_march < 10 {
            from_march + 3
        } else {
            from_march - 9
        };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Self {
            year,
            // Both are small by construction.
            month: month as u32,
            day: day as u32,
        }
    }

    pub(super) fn to_days(self) -> i64 {
        let year = self.year - i64::from(self.month <= 2);
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let from_march = (i64::from(self.month) + 9) % 12;
        let day_of_year = (153 * from_march + 2) / 5 + i64::from(self.day) - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        era * DAYS_PER_ERA + day_of_era - EPOCH_FROM_ERA
    }

    /// The date if its parts are one.
    pub(super) fn checked(year: i64, month: i64, day: i64) -> Option<Self> {
        let month = u32::try_from(month)
            .ok()
            .filter(|month| (1..=12).contains(month))?;
        let day = u32::try_from(day).ok()?;
        let valid =
            (1..=days_in_month(year, month)).contains(&day) && (-9_999..=9_999).contains(&year);
        valid.then_some(Self { year, month, day })
    }

    /// The date `months` later; the day is that of the month's end if it has no such day.
    pub(super) fn add_months(self, months: i64) -> Option<Self> {
        let total = self
            .year
            .checked_mul(12)?
            .checked_add(i64::from(self.month) - 1)?
            .checked_add(months)?;
        let year = total.div_euclid(12);
        let month = u32::try_from(total.rem_euclid(12) + 1).ok()?;
        if !(-262_000..=262_000).contains(&year) {
            return None;
        }
        Some(Self {
            year,
            month,
            day: self.day.min(days_in_month(year, month)),
        })
    }

    /// 1 to 366.
    pub(super) fn day_of_year(self) -> i64 {
        let first = Self {
            month: 1,
            day: 1,
            ..self
        };
        self.to_days() - first.to_days() + 1
    }
}

pub(super) fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in_month(year: i64, month: u32) -> u32 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The weekday of a date: 0 is Monday.
pub(super) fn weekday(days: i64) -> i64 {
    // 1970-01-01 was a Thursday.
    (days + 3).rem_euclid(7)
}

/// The week of ISO 8601: the week with the year's first Thursday is week 1.
pub(super) fn iso_week(days: i64) -> i64 {
    let thursday = days - weekday(days) + 3;
    (Date::from_days(thursday).day_of_year() - 1) / 7 + 1
}

pub(super) fn per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => NANOS_PER_SECOND,
    }
}

/// The wall clock's time at an instant: seconds since the epoch and nanoseconds in the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Local {
    pub(super) seconds: i64,
    pub(super) nanos: i64,
}

impl Local {
    pub(super) fn days(self) -> i64 {
        self.seconds.div_euclid(SECONDS_PER_DAY)
    }

    pub(super) fn second_of_day(self) -> i64 {
        self.seconds.rem_euclid(SECONDS_PER_DAY)
    }
}

/// Seconds that a zone is ahead of UTC at an instant.
pub(super) fn offset_at(zone: Tz, seconds: i64) -> i64 {
    chrono::DateTime::from_timestamp(seconds, 0).map_or(0, |utc| {
        let offset = zone.offset_from_utc_datetime(&utc.naive_utc());
        i64::from(offset.fix().local_minus_utc())
    })
}

/// The instant, in seconds, at which a zone's wall clock shows `local` seconds. Of two such
/// instants the earlier; in the gap of a clock set forward, the time as if it had not been.
pub(super) fn instant_of(zone: Option<Tz>, local: i64) -> i64 {
    let Some(zone) = zone else {
        return local;
    };
    let before = local - offset_at(zone, local - SECONDS_PER_DAY);
    if before + offset_at(zone, before) == local {
        return before;
    }
    let after = local - offset_at(zone, local + SECONDS_PER_DAY);
    if after + offset_at(zone, after) == local {
        after
    } else {
        before
    }
}

/// A value in `PER_SECOND`ths of a second as seconds and nanoseconds.
#[inline]
fn split<const PER_SECOND: i64>(value: i64) -> (i64, i64) {
    let nanos = value.rem_euclid(PER_SECOND) * (NANOS_PER_SECOND / PER_SECOND);
    (value.div_euclid(PER_SECOND), nanos)
}

impl Times {
    /// The wall clock's time of a row.
    #[inline]
    pub(super) fn local(&self, row: usize) -> Option<Local> {
        let value = self.get(row)?;
        // One arm per unit, so that the divisors are constants and the divisions cheap.
        let (seconds, nanos) = match self.unit {
            TimeUnit::Second => (value, 0),
            TimeUnit::Millisecond => split::<1_000>(value),
            TimeUnit::Microsecond => split::<1_000_000>(value),
            TimeUnit::Nanosecond => split::<NANOS_PER_SECOND>(value),
        };
        let seconds = match self.zone {
            Some(zone) => seconds + offset_at(zone, seconds),
            None => seconds,
        };
        Some(Local { seconds, nanos })
    }

    /// The value, in this column's unit, at which the wall clock shows `local`; `None` if it
    /// is out of range.
    pub(super) fn value_of(&self, local: Local) -> Option<i64> {
        let per_second = per_second(self.unit);
        instant_of(self.zone, local.seconds)
            .checked_mul(per_second)?
            .checked_add(local.nanos / (NANOS_PER_SECOND / per_second))
    }
}

#[cfg(test)]
mod tests {
    use chrono::Datelike;

    use super::*;

    #[test]
    fn days_and_dates_agree_with_chrono() {
        let epoch = chrono::NaiveDate::from_ymd_opt(1970, 1, 1).unwrap();
        for days in (-800_000..800_000).step_by(37) {
            let date = Date::from_days(days);
            let known = epoch + chrono::Duration::days(days);
            assert_eq!(
                (date.year, date.month, date.day),
                (i64::from(known.year()), known.month(), known.day()),
                "{days}"
            );
            assert_eq!(date.to_days(), days);
            assert_eq!(
                weekday(days),
                i64::from(known.weekday().num_days_from_monday())
            );
            assert_eq!(
                iso_week(days),
                i64::from(known.iso_week().week()),
                "{known}"
            );
            assert_eq!(date.day_of_year(), i64::from(known.ordinal()));
        }
    }

    #[test]
    fn months_end_early_if_they_must() {
        let add = |y, m, d, months| {
            let date = Date::checked(y, m, d).unwrap().add_months(months).unwrap();
            (date.year, date.month, date.day)
        };
        assert_eq!(add(2024, 1, 31, 1), (2024, 2, 29));
        assert_eq!(add(2023, 1, 31, 1), (2023, 2, 28));
        assert_eq!(add(2024, 3, 31, -1), (2024, 2, 29));
        assert_eq!(add(2024, 11, 30, 14), (2026, 1, 30));
        assert_eq!(Date::checked(2023, 2, 29), None);
        assert_eq!(Date::checked(2023, 13, 1), None);
    }

    #[test]
    fn wall_clocks_of_a_zone() {
        let berlin: Tz = "Europe/Berlin".parse().unwrap();
        // 2024-07-01T12:00 in Berlin is 10:00 in UTC.
        let local = Date::checked(2024, 7, 1).unwrap().to_days() * SECONDS_PER_DAY + 12 * 3_600;
        assert_eq!(instant_of(Some(berlin), local), local - 7_200);
        // The clock goes from 02:00 to 03:00 on 2024-03-31; 02:30 is read with the old offset.
        let gap =
            Date::checked(2024, 3, 31).unwrap().to_days() * SECONDS_PER_DAY + 2 * 3_600 + 1_800;
        assert_eq!(instant_of(Some(berlin), gap), gap - 3_600);
        // 02:30 on 2024-10-27 comes twice: the earlier is meant.
        let twice =
            Date::checked(2024, 10, 27).unwrap().to_days() * SECONDS_PER_DAY + 2 * 3_600 + 1_800;
        assert_eq!(instant_of(Some(berlin), twice), twice - 7_200);
    }
}
