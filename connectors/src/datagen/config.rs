//! The options of a table of generated rows.

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::str::FromStr;

use arrow::datatypes::{DataType, Field, Schema};
use levada_engine::{EngineError, Result};

use super::value::{Maker, Shape};
use crate::options::Options;

/// What the rows are like, and how many there are.
#[derive(Debug)]
pub(super) struct Config {
    /// `None`: as fast as they are taken.
    pub rows_per_second: Option<NonZeroU64>,
    /// `None`: without end.
    pub rows: Option<u64>,
    makers: BTreeMap<String, Maker>,
}

impl Config {
    /// Reads `rows-per-second`, `number-of-rows`, `seed`, and `fields.#.…` for the columns of `schema`.
    pub(super) fn from_options(schema: &Schema, options: &mut Options) -> Result<Self> {
        let rate =
            options.parsed::<u64>("rows-per-second", "a number of rows, or '0' for no limit")?;
        let limit = options.parsed::<u64>("number-of-rows", "a number of rows")?;
        let seed = options.parsed::<u64>("seed", "a number")?.unwrap_or(0);
        let mut makers = BTreeMap::new();
        for field in schema.fields() {
            let maker = maker(field, field.name(), seed, options)?;
            makers.insert(field.name().clone(), maker);
        }
        let counted = makers.values().filter_map(Maker::rows).min();
        Ok(Self {
            rows_per_second: NonZeroU64::new(rate.unwrap_or(10_000)),
            rows: limit.into_iter().chain(counted).min(),
            makers,
        })
    }

    /// The maker of a column that a query reads, possibly cut down to some of its fields.
    pub(super) fn maker(&self, wanted: &Field) -> Result<Maker> {
        let maker = self.makers.get(wanted.name());
        maker
            .and_then(|maker| maker.pruned(wanted.data_type()))
            .ok_or_else(|| {
                EngineError::internal(format!(
                    "the table has no column '{}' to make",
                    wanted.name()
                ))
            })
    }
}

/// Reads the options `fields.PATH.…` of a column, or of a part of one.
fn maker(field: &Field, path: &str, seed: u64, options: &mut Options) -> Result<Maker> {
    let name = |option: &str| format!("fields.{path}.{option}");
    let kinds = [("random", false), ("sequence", true)];
    let sequence = options.choice(&name("kind"), &kinds)?.unwrap_or(false);
    let null_rate = options
        .parsed::<f64>(&name("null-rate"), "a number from 0 to 1")?
        .unwrap_or(0.0);
    if !(0.0..=1.0).contains(&null_rate) {
        return Err(options.invalid(&name("null-rate"), "a number from 0 to 1"));
    }
    if null_rate > 0.0 && !field.is_nullable() {
        return Err(options.invalid(&name("null-rate"), "'0', because the column is NOT NULL"));
    }
    let shape = if sequence {
        counted(field, &name, options)?
    } else {
        random(field, path, seed, options)?
    };
    Ok(Maker::new(path, seed, null_rate, shape))
}

fn counted(field: &Field, name: &dyn Fn(&str) -> String, options: &mut Options) -> Result<Shape> {
    let suits = field.data_type().is_integer()
        || field.data_type().is_floating()
        || matches!(field.data_type(), DataType::Utf8 | DataType::Decimal128(..));
    if !suits {
        return Err(options.invalid(
            &name("kind"),
            &format!("'random', because {} cannot be counted", field.data_type()),
        ));
    }
    let what = "a whole number, where a sequence begins or ends";
    let mut end = |option: &str| {
        let _ = options.required(&name(option))?;
        options
            .parsed::<i64>(&name(option), what)
            .map(Option::unwrap_or_default)
    };
    let (start, end) = (end("start")?, end("end")?);
    if end < start {
        return Err(options.invalid(&name("end"), "a number that is not below the start"));
    }
    Ok(Shape::Sequence { start, end })
}

fn random(field: &Field, path: &str, seed: u64, options: &mut Options) -> Result<Shape> {
    let name = |option: &str| format!("fields.{path}.{option}");
    Ok(match field.data_type() {
        DataType::Boolean => Shape::Boolean,
        DataType::Int8 => whole(&name, i8::MIN.into(), i8::MAX.into(), options)?,
        DataType::Int16 => whole(&name, i16::MIN.into(), i16::MAX.into(), options)?,
        DataType::Int32 => whole(&name, i32::MIN.into(), i32::MAX.into(), options)?,
        DataType::Int64 => whole(&name, i64::MIN, i64::MAX, options)?,
        DataType::Float32 => float(&name, f32::MAX.into(), options)?,
        DataType::Float64 => float(&name, f64::MAX, options)?,
        DataType::Decimal128(precision, scale) => {
            let digits = i32::from(*precision) - i32::from(*scale);
            float(&name, 10f64.powi(digits).min(1e37), options)?
        }
        DataType::Utf8 => Shape::Text {
            length: length(&name, 100, options)?,
        },
        DataType::Binary => Shape::Bytes {
            length: length(&name, 100, options)?,
        },
        DataType::Date32 | DataType::Time32(_) | DataType::Time64(_) | DataType::Timestamp(..) => {
            let max_past = options.duration(&name("max-past"))?.unwrap_or_default();
            Shape::Past {
                max_past_ms: u64::try_from(max_past.as_millis()).unwrap_or(u64::MAX),
            }
        }
        DataType::List(element) => Shape::Array {
            length: length(&name, 3, options)?,
            element: Box::new(part(element, &format!("{path}.element"), seed, options)?),
        },
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) => match fields.as_ref() {
                [key, value] if key.data_type() == &DataType::Utf8 => Shape::Map {
                    length: length(&name, 3, options)?,
                    key: Box::new(part(key, &format!("{path}.key"), seed, options)?),
                    value: Box::new(part(value, &format!("{path}.value"), seed, options)?),
                },
                _ => return Err(unsupported(field, path)),
            },
            _ => return Err(unsupported(field, path)),
        },
        DataType::Struct(fields) => {
            let makers = fields.iter().map(|child| {
                let path = format!("{path}.{}", child.name());
                Ok((child.name().clone(), maker(child, &path, seed, options)?))
            });
            Shape::Row(makers.collect::<Result<_>>()?)
        }
        _ => return Err(unsupported(field, path)),
    })
}

/// The maker of the parts of an array or a map, which are random.
fn part(field: &Field, path: &str, seed: u64, options: &mut Options) -> Result<Maker> {
    let maker = maker(field, path, seed, options)?;
    if maker.rows().is_some() {
        return Err(EngineError::config(format!(
            "'{path}' is part of an array or a map, whose values cannot be counted"
        ))
        .with_hint("use the kind 'random'"));
    }
    Ok(maker)
}

/// The limits `min` and `max`.
fn limits<T: FromStr + PartialOrd + Copy>(
    name: &dyn Fn(&str) -> String,
    (least, most): (T, T),
    what: &str,
    options: &mut Options,
) -> Result<(T, T)> {
    let min = options.parsed::<T>(&name("min"), what)?.unwrap_or(least);
    let max = options.parsed::<T>(&name("max"), what)?.unwrap_or(most);
    for (option, value) in [("min", min), ("max", max)] {
        if !(value >= least && value <= most) {
            return Err(
                options.invalid(&name(option), "a number in the range of the column's type")
            );
        }
    }
    if min > max {
        let given = if options.text(&name("max")).is_some() {
            "max"
        } else {
            "min"
        };
        return Err(options.invalid(&name(given), "a minimum that is not above the maximum"));
    }
    Ok((min, max))
}

fn whole(
    name: &dyn Fn(&str) -> String,
    least: i64,
    most: i64,
    options: &mut Options,
) -> Result<Shape> {
    let (min, max) = limits(name, (least, most), "a whole number", options)?;
    Ok(Shape::Whole { min, max })
}

fn float(name: &dyn Fn(&str) -> String, most: f64, options: &mut Options) -> Result<Shape> {
    let (min, max) = limits(name, (-most, most), "a number", options)?;
    Ok(Shape::Real { min, max })
}

fn length(name: &dyn Fn(&str) -> String, default: usize, options: &mut Options) -> Result<usize> {
    let what = "a length of at most 1000000";
    let length = options
        .parsed::<usize>(&name("length"), what)?
        .unwrap_or(default);
    if length > 1_000_000 {
        return Err(options.invalid(&name("length"), what));
    }
    Ok(length)
}

fn unsupported(field: &Field, path: &str) -> EngineError {
    EngineError::config(format!(
        "the column '{path}' has a type that cannot be generated: {}",
        field.data_type()
    ))
}
