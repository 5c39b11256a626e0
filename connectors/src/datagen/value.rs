//! From a row's number to a value.

use std::collections::BTreeSet;

use arrow::datatypes::DataType;
use levada_engine::{EngineError, Result};

use crate::format::column::{Column, Decimal};
use crate::format::scalar::number::decimal;
use crate::format::scalar::time::Moment;

/// Makes the values of a column, or of a part of one.
#[derive(Debug, Clone)]
pub(super) struct Maker {
    seed: u64,
    null_rate: f64,
    shape: Shape,
}

/// What the values are like.
#[derive(Debug, Clone)]
pub(super) enum Shape {
    /// `start`, `start + 1`, and so on.
    Sequence {
        start: i64,
        end: i64,
    },
    Boolean,
    Whole {
        min: i64,
        max: i64,
    },
    Real {
        min: f64,
        max: f64,
    },
    /// Hexadecimal digits.
    Text {
        length: usize,
    },
    Bytes {
        length: usize,
    },
    /// A time before the present one.
    Past {
        max_past_ms: u64,
    },
    Array {
        length: usize,
        element: Box<Maker>,
    },
    Map {
        length: usize,
        key: Box<Maker>,
        value: Box<Maker>,
    },
    Row(Vec<(String, Maker)>),
}

/// Numbers that look random, decided by where they begin: SplitMix64 (Steele, Lea and Flood, 2014).
#[derive(Debug, Clone, Copy)]
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0, inclusive, to 1, exclusive.
    fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// From 0 to `most`, both inclusive.
    fn up_to(&mut self, most: u64) -> u64 {
        match most.checked_add(1) {
            None => self.next(),
            Some(range) => ((u128::from(self.next()) * u128::from(range)) >> 64) as u64,
        }
    }
}

impl Maker {
    /// A maker for the column, or part of one, at `path`.
    pub(super) fn new(path: &str, seed: u64, null_rate: f64, shape: Shape) -> Self {
        // FNV-1a: the seed must not change from one release to the next.
        let hash = path.bytes().fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Self {
            seed: Dice(hash ^ seed.rotate_left(32)).next(),
            null_rate,
            shape,
        }
    }

    /// How many rows there are until a sequence ends.
    pub(super) fn rows(&self) -> Option<u64> {
        match &self.shape {
            Shape::Sequence { start, end } => Some(end.abs_diff(*start).saturating_add(1)),
            Shape::Row(makers) => makers.iter().filter_map(|(_, maker)| maker.rows()).min(),
            _ => None,
        }
    }

    /// The maker for a column of type `wanted`, which may have fewer fields.
    pub(super) fn pruned(&self, wanted: &DataType) -> Option<Self> {
        let mut maker = self.clone();
        if let (Shape::Row(makers), DataType::Struct(fields)) = (&self.shape, wanted) {
            let children = fields.iter().map(|field| {
                let (name, child) = makers.iter().find(|(name, _)| name == field.name())?;
                Some((name.clone(), child.pruned(field.data_type())?))
            });
            maker.shape = Shape::Row(children.collect::<Option<_>>()?);
        }
        Some(maker)
    }

    /// Adds the value of row `number` to `column`.
    pub(super) fn push(&self, number: u64, now_ms: i64, column: &mut Column) -> Result<()> {
        let mut dice = self.dice(number);
        if self.null_rate > 0.0 && dice.fraction() < self.null_rate {
            column.push_null();
            return Ok(());
        }
        match &self.shape {
            Shape::Sequence { start, .. } => whole(column, start.wrapping_add_unsigned(number)),
            Shape::Whole { min, max } => whole(
                column,
                min.wrapping_add_unsigned(dice.up_to(max.abs_diff(*min))),
            ),
            Shape::Real { min, max } => {
                let fraction = dice.fraction();
                real(column, min * (1.0 - fraction) + max * fraction)
            }
            Shape::Past { max_past_ms } => past(
                column,
                now_ms.saturating_sub_unsigned(dice.up_to(*max_past_ms)),
            ),
            Shape::Boolean => match column {
                Column::Boolean(values) => {
                    values.push(dice.next() & 1 == 1);
                    Ok(())
                }
                _ => Err(mismatch(column)),
            },
            Shape::Text { length } => text(column, *length, dice),
            Shape::Bytes { length } => bytes(column, *length, dice),
            Shape::Array { .. } | Shape::Map { .. } | Shape::Row(_) => {
                self.nested(number, now_ms, column)
            }
        }
    }

    /// The key of a map's entry.
    fn key(&self, number: u64) -> Vec<u8> {
        let mut text = Vec::new();
        if let Shape::Text { length } = &self.shape {
            hexadecimal(&mut text, *length, self.dice(number));
        }
        text
    }

    fn dice(&self, number: u64) -> Dice {
        Dice(self.seed ^ number.wrapping_mul(0xd134_2543_de82_ef95))
    }

    fn nested(&self, number: u64, now_ms: i64, column: &mut Column) -> Result<()> {
        let part =
            |length: usize, i: usize| number.wrapping_mul(length as u64).wrapping_add(i as u64);
        match (&self.shape, column) {
            (Shape::Array { length, element }, Column::List(list)) => {
                for i in 0..*length {
                    element.push(part(*length, i), now_ms, &mut list.element)?;
                }
                fits(list.end_row())
            }
            (Shape::Map { length, key, value }, Column::Map(map)) => {
                let mut keys = BTreeSet::new();
                for i in 0..*length {
                    let text = key.key(part(*length, i));
                    if keys.contains(&text) {
                        continue;
                    }
                    fits(map.keys.push(&text))?;
                    keys.insert(text);
                    value.push(part(*length, i), now_ms, &mut map.values)?;
                }
                fits(map.end_row())
            }
            (Shape::Row(makers), Column::Struct(row)) => {
                for ((_, maker), child) in makers.iter().zip(&mut row.record.children) {
                    maker.push(number, now_ms, &mut child.column)?;
                }
                row.record.rows += 1;
                row.end_row();
                Ok(())
            }
            (_, column) => Err(mismatch(column)),
        }
    }
}

fn whole(column: &mut Column, value: i64) -> Result<()> {
    let done = match column {
        Column::Int8(values) => values.push_some(i8::try_from(value).ok()),
        Column::Int16(values) => values.push_some(i16::try_from(value).ok()),
        Column::Int32(values) => values.push_some(i32::try_from(value).ok()),
        Column::Int64(values) => values.push_some(Some(value)),
        Column::Float32(values) => values.push_some(Some(value as f32)),
        Column::Float64(values) => values.push_some(Some(value as f64)),
        Column::Utf8(values) => values.push(itoa::Buffer::new().format(value).as_bytes()),
        Column::Decimal(Decimal {
            values,
            precision,
            scale,
        }) => {
            let text = itoa::Buffer::new().format(value).to_string();
            values.push_some(decimal(text.as_bytes(), *precision, *scale).ok())
        }
        _ => return Err(mismatch(column)),
    };
    if done {
        return Ok(());
    }
    Err(EngineError::data(format!(
        "the number {value} does not fit into {}",
        column.type_name()
    )))
}

fn real(column: &mut Column, value: f64) -> Result<()> {
    match column {
        Column::Float32(values) => values.push(value as f32),
        Column::Float64(values) => values.push(value),
        Column::Decimal(Decimal {
            values,
            precision,
            scale,
        }) => {
            // Rounded towards zero, so that the largest values do not grow past the precision.
            let units = (value * 10f64.powi(i32::from(*scale))).trunc() as i128;
            let most = 10i128.saturating_pow(u32::from(*precision)) - 1;
            values.push(units.clamp(-most, most));
        }
        _ => return Err(mismatch(column)),
    }
    Ok(())
}

fn past(column: &mut Column, at_ms: i64) -> Result<()> {
    const DAY_MS: i64 = 86_400_000;
    let done = match column {
        Column::Date(values) => values.push_some(i32::try_from(at_ms.div_euclid(DAY_MS)).ok()),
        Column::TimeMillis(values) => values.push_some(Some(at_ms.rem_euclid(DAY_MS) as i32)),
        Column::TimeMicros(values) => values.push_some(Some(at_ms.rem_euclid(DAY_MS) * 1_000)),
        Column::Timestamp(values) => values.push(Moment {
            seconds: at_ms.div_euclid(1_000),
            nanos: at_ms.rem_euclid(1_000) as u32 * 1_000_000,
            zoned: values.zoned,
        }),
        _ => return Err(mismatch(column)),
    };
    if done {
        Ok(())
    } else {
        Err(EngineError::data("a time is out of the column's range"))
    }
}

fn text(column: &mut Column, length: usize, dice: Dice) -> Result<()> {
    let Column::Utf8(values) = column else {
        return Err(mismatch(column));
    };
    hexadecimal(values.buffer(), length, dice);
    fits(values.end_value())
}

fn hexadecimal(out: &mut Vec<u8>, length: usize, mut dice: Dice) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let end = out.len() + length;
    while out.len() < end {
        let mut bits = dice.next();
        for _ in 0..16.min(end - out.len()) {
            out.extend(DIGITS.get((bits & 15) as usize));
            bits >>= 4;
        }
    }
}

fn bytes(column: &mut Column, length: usize, mut dice: Dice) -> Result<()> {
    let Column::Binary(values) = column else {
        return Err(mismatch(column));
    };
    let end = values.buffer().len() + length;
    while values.buffer().len() < end {
        values
            .buffer()
            .extend_from_slice(&dice.next().to_le_bytes());
    }
    values.buffer().truncate(end);
    fits(values.end_value())
}

fn fits(fits: bool) -> Result<()> {
    if fits {
        return Ok(());
    }
    Err(
        EngineError::data("a column would grow past 2 GiB in one batch")
            .with_hint("make the values shorter ('fields.#.length')"),
    )
}

fn mismatch(column: &Column) -> EngineError {
    EngineError::internal(format!(
        "no value of the kind can be made for {}",
        column.type_name()
    ))
}
