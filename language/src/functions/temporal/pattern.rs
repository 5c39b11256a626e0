//! Java's date patterns, such as `yyyy-MM-dd'T'HH:mm:ss.SSS`: compiled once, then formatting
//! and parsing are integer arithmetic.

use datafusion::common::Result;

use super::calendar::{Date, Local, NANOS_PER_SECOND, SECONDS_PER_DAY, weekday};
use crate::error::{PlanError, PlanErrorKind};
use crate::functions::scalar::evaluation;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];

/// A part of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Literal(String),
    /// A number of at least `width` digits.
    Number {
        field: Field,
        width: usize,
    },
    /// The year in two digits, of this century.
    ShortYear,
    /// Digits of the second's fraction.
    Fraction(usize),
    /// A name, or its first three letters.
    Month {
        short: bool,
    },
    Weekday {
        short: bool,
    },
    AmPm,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Year,
    Quarter,
    Month,
    Day,
    DayOfYear,
    /// H: 0 to 23.
    Hour,
    /// k: 1 to 24.
    HourFrom1,
    /// K: 0 to 11.
    HalfHour,
    /// h: 1 to 12.
    HalfHourFrom1,
    Minute,
    Second,
}

/// How long a formatted text stays the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Grain {
    Day,
    Hour,
    Minute,
    Second,
    Nano,
}

/// A compiled pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    pieces: Vec<Piece>,
    grain: Grain,
}

impl Pattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// A letter that means nothing, or nothing that is supported.
    pub(super) fn compile(text: &str) -> Result<Self> {
        let mut pieces: Vec<Piece> = Vec::new();
        let mut rest = text.chars().peekable();
        while let Some(c) = rest.next() {
            if c == '\'' {
                literal(&mut pieces, &quoted(&mut rest, text)?);
            } else if c.is_ascii_alphabetic() {
                let mut width = 1;
                while rest.next_if_eq(&c).is_some() {
                    width += 1;
                }
                pieces.push(piece(c, width, text)?);
            } else {
                literal(&mut pieces, c.encode_utf8(&mut [0; 4]));
            }
        }
        let grain = pieces.iter().map(Piece::grain).max().unwrap_or(Grain::Day);
        Ok(Self { pieces, grain })
    }

    /// Two times with the same key have the same text.
    #[inline]
    pub(super) fn key(&self, time: Local) -> (i64, i64) {
        match self.grain {
            Grain::Day => (time.seconds.div_euclid(SECONDS_PER_DAY), 0),
            Grain::Hour => (time.seconds.div_euclid(3_600), 0),
            Grain::Minute => (time.seconds.div_euclid(60), 0),
            Grain::Second => (time.seconds, 0),
            Grain::Nano => (time.seconds, time.nanos),
        }
    }

    /// Appends the text of a time.
    pub(super) fn format(&self, time: Local, out: &mut Vec<u8>) {
        let days = time.days();
        let date = Date::from_days(days);
        let second = time.second_of_day();
        for piece in &self.pieces {
            match piece {
                Piece::Literal(text) => out.extend_from_slice(text.as_bytes()),
                Piece::Number { field, width } => push_number(field.of(date, second), *width, out),
                Piece::ShortYear => push_number(date.year.rem_euclid(100), 2, out),
                Piece::Fraction(digits) => push_fraction(time.nanos, *digits, out),
                Piece::Month { short } => {
                    push_name(&MONTHS, i64::from(date.month) - 1, *short, out)
                }
                Piece::Weekday { short } => push_name(&WEEKDAYS, weekday(days), *short, out),
                Piece::AmPm => out.extend_from_slice(if second < 43_200 { b"AM" } else { b"PM" }),
            }
        }
    }

    /// Reads a text; `None` if it does not have this pattern.
    pub(super) fn parse(&self, text: &str) -> Option<Local> {
        let mut parsed = Parsed::default();
        let mut rest = text;
        for (index, piece) in self.pieces.iter().enumerate() {
            // Digits that follow each other directly have fixed widths, as in yyyyMMdd.
            let fixed = self.pieces.get(index + 1).is_some_and(Piece::is_digits);
            rest = parsed.read(piece, rest, fixed)?;
        }
        if rest.is_empty() {
            parsed.finish()
        } else {
            None
        }
    }
}

/// The rest of a quoted literal, whose first quote was read. Two quotes are one.
fn quoted(rest: &mut std::iter::Peekable<std::str::Chars<'_>>, pattern: &str) -> Result<String> {
    if rest.next_if_eq(&'\'').is_some() {
        return Ok("'".to_string());
    }
    let mut literal = String::new();
    loop {
        match rest.next() {
            Some('\'') if rest.next_if_eq(&'\'').is_some() => literal.push('\''),
            Some('\'') => return Ok(literal),
            Some(c) => literal.push(c),
            None => {
                return Err(evaluation(format!(
                    "the date pattern '{pattern}' has an open quote"
                )));
            }
        }
    }
}

fn literal(pieces: &mut Vec<Piece>, text: &str) {
    match pieces.last_mut() {
        Some(Piece::Literal(before)) => before.push_str(text),
        _ => pieces.push(Piece::Literal(text.to_string())),
    }
}

fn piece(letter: char, width: usize, pattern: &str) -> Result<Piece> {
    let number = |field| Piece::Number { field, width };
    Ok(match (letter, width) {
        ('y' | 'u', 2) => Piece::ShortYear,
        ('y' | 'u', _) => number(Field::Year),
        ('M' | 'L', 1 | 2) => number(Field::Month),
        ('M' | 'L', 3 | 4) => Piece::Month { short: width == 3 },
        ('Q' | 'q', 1 | 2) => number(Field::Quarter),
        ('d', 1 | 2) => number(Field::Day),
        ('D', 1..=3) => number(Field::DayOfYear),
        ('E', 1..=4) => Piece::Weekday { short: width < 4 },
        ('a', 1) => Piece::AmPm,
        ('H', 1 | 2) => number(Field::Hour),
        ('k', 1 | 2) => number(Field::HourFrom1),
        ('K', 1 | 2) => number(Field::HalfHour),
        ('h', 1 | 2) => number(Field::HalfHourFrom1),
        ('m', 1 | 2) => number(Field::Minute),
        ('s', 1 | 2) => number(Field::Second),
        ('S', 1..=9) => Piece::Fraction(width),
        _ => {
            let letters: String = std::iter::repeat_n(letter, width).collect();
            return Err(PlanError::new(
                PlanErrorKind::Evaluation,
                format!("'{letters}' in the date pattern '{pattern}' is not supported"),
            )
            .hint("supported are y M d D E Q a H k K h m s S; put plain text in single quotes")
            .into());
        }
    })
}

impl Piece {
    fn grain(&self) -> Grain {
        match self {
            Self::Fraction(_) => Grain::Nano,
            Self::AmPm => Grain::Hour,
            Self::Number { field, .. } => match field {
                Field::Hour | Field::HourFrom1 | Field::HalfHour | Field::HalfHourFrom1 => {
                    Grain::Hour
                }
                Field::Minute => Grain::Minute,
                Field::Second => Grain::Second,
                _ => Grain::Day,
            },
            _ => Grain::Day,
        }
    }

    fn is_digits(&self) -> bool {
        matches!(
            self,
            Self::Number { .. } | Self::ShortYear | Self::Fraction(_)
        )
    }
}

impl Field {
    fn of(self, date: Date, second_of_day: i64) -> i64 {
        let hour = second_of_day / 3_600;
        match self {
            Self::Year => date.year,
            Self::Quarter => (i64::from(date.month) + 2) / 3,
            Self::Month => i64::from(date.month),
            Self::Day => i64::from(date.day),
            Self::DayOfYear => date.day_of_year(),
            Self::Hour => hour,
            Self::HourFrom1 => (hour + 23) % 24 + 1,
            Self::HalfHour => hour % 12,
            Self::HalfHourFrom1 => (hour + 11) % 12 + 1,
            Self::Minute => second_of_day / 60 % 60,
            Self::Second => second_of_day % 60,
        }
    }

    /// The most digits that a number of this field has.
    fn digits(self) -> usize {
        match self {
            Self::Year => 9,
            Self::DayOfYear => 3,
            Self::Quarter => 1,
            _ => 2,
        }
    }
}

fn push_number(value: i64, width: usize, out: &mut Vec<u8>) {
    if let (2, 0..=99) = (width, value) {
        // Both are single digits.
        out.extend_from_slice(&[b'0' + (value / 10) as u8, b'0' + (value % 10) as u8]);
        return;
    }
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    let mut left = value.unsigned_abs();
    loop {
        at -= 1;
        if let Some(slot) = digits.get_mut(at) {
            *slot = b'0' + (left % 10) as u8;
        }
        left /= 10;
        if left == 0 || at == 0 {
            break;
        }
    }
    if value < 0 {
        out.push(b'-');
    }
    let digits = digits.get(at..).unwrap_or_default();
    out.extend(std::iter::repeat_n(
        b'0',
        width.saturating_sub(digits.len()),
    ));
    out.extend_from_slice(digits);
}

fn push_fraction(nanos: i64, digits: usize, out: &mut Vec<u8>) {
    let mut scale = NANOS_PER_SECOND / 10;
    for _ in 0..digits {
        out.push(b'0' + (nanos / scale % 10) as u8);
        scale = (scale / 10).max(1);
    }
}

fn push_name(names: &[&str], index: i64, short: bool, out: &mut Vec<u8>) {
    let name = usize::try_from(index)
        .ok()
        .and_then(|index| names.get(index))
        .copied()
        .unwrap_or_default();
    let shown = if short {
        name.get(..3).unwrap_or(name)
    } else {
        name
    };
    out.extend_from_slice(shown.as_bytes());
}

/// What has been read of a text.
#[derive(Default)]
struct Parsed {
    year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    day_of_year: Option<i64>,
    hour: Option<i64>,
    half_hour: Option<i64>,
    afternoon: bool,
    minute: i64,
    second: i64,
    nanos: i64,
}

impl Parsed {
    /// Reads one piece from the front of `text`, and returns what follows it.
    fn read<'a>(&mut self, piece: &Piece, text: &'a str, fixed: bool) -> Option<&'a str> {
        match piece {
            Piece::Literal(literal) => text.strip_prefix(literal.as_str()),
            Piece::Number { field, width } => {
                let most = if fixed {
                    *width
                } else {
                    field.digits().max(*width)
                };
                let negative = *field == Field::Year && text.starts_with('-');
                let unsigned = if negative { text.get(1..)? } else { text };
                let (value, rest) = digits(unsigned, *width, most)?;
                self.set(*field, if negative { -value } else { value })?;
                Some(rest)
            }
            Piece::ShortYear => {
                let (value, rest) = digits(text, 2, 2)?;
                self.year = Some(2_000 + value);
                Some(rest)
            }
            Piece::Fraction(count) => {
                let (value, rest) = digits(text, *count, *count)?;
                let scale = 10_i64.pow(9_u32.saturating_sub(u32::try_from(*count).ok()?));
                self.nanos = value * scale;
                Some(rest)
            }
            Piece::Month { short } => {
                let (index, rest) = name(&MONTHS, text, *short)?;
                self.month = Some(index + 1);
                Some(rest)
            }
            Piece::Weekday { short } => name(&WEEKDAYS, text, *short).map(|(_, rest)| rest),
            Piece::AmPm => {
                let (mark, rest) = text.split_at_checked(2)?;
                self.afternoon = mark.eq_ignore_ascii_case("PM");
                (self.afternoon || mark.eq_ignore_ascii_case("AM")).then_some(rest)
            }
        }
    }

    fn set(&mut self, field: Field, value: i64) -> Option<()> {
        let in_range =
            |range: std::ops::RangeInclusive<i64>| range.contains(&value).then_some(value);
        match field {
            Field::Year => self.year = Some(value),
            Field::Quarter => {
                in_range(1..=4)?;
            }
            Field::Month => self.month = Some(value),
            Field::Day => self.day = Some(value),
            Field::DayOfYear => self.day_of_year = Some(value),
            Field::Hour => self.hour = Some(in_range(0..=23)?),
            Field::HourFrom1 => self.hour = Some(in_range(1..=24)? % 24),
            Field::HalfHour => self.half_hour = Some(in_range(0..=11)?),
            Field::HalfHourFrom1 => self.half_hour = Some(in_range(1..=12)? % 12),
            Field::Minute => self.minute = in_range(0..=59)?,
            Field::Second => self.second = in_range(0..=59)?,
        }
        Some(())
    }

    fn finish(self) -> Option<Local> {
        let year = self.year.unwrap_or(1970);
        let date = Date::checked(year, self.month.unwrap_or(1), self.day.unwrap_or(1))?;
        let days = match self.day_of_year {
            None => date.to_days(),
            Some(day) => {
                let first = Date::checked(year, 1, 1)?;
                let days = first.to_days() + day - 1;
                (day >= 1 && Date::from_days(days).year == year).then_some(days)?
            }
        };
        let hour = match (self.hour, self.half_hour) {
            (Some(hour), _) => hour,
            (None, Some(half)) => half + if self.afternoon { 12 } else { 0 },
            (None, None) => 0,
        };
        Some(Local {
            seconds: days * SECONDS_PER_DAY + hour * 3_600 + self.minute * 60 + self.second,
            nanos: self.nanos,
        })
    }
}

/// A number of `least` to `most` digits.
fn digits(text: &str, least: usize, most: usize) -> Option<(i64, &str)> {
    let count = text
        .bytes()
        .take(most)
        .take_while(u8::is_ascii_digit)
        .count();
    if count < least || count == 0 {
        return None;
    }
    let (number, rest) = text.split_at_checked(count)?;
    Some((number.parse().ok()?, rest))
}

fn name<'a>(names: &[&str], text: &'a str, short: bool) -> Option<(i64, &'a str)> {
    names.iter().zip(0..).find_map(|(name, index)| {
        let wanted = if short { name.get(..3)? } else { name };
        let (found, rest) = text.split_at_checked(wanted.len())?;
        found.eq_ignore_ascii_case(wanted).then_some((index, rest))
    })
}
