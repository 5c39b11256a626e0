//! Accumulators: what one aggregate keeps per group, a column per quantity.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{DataType, Field, Int64Type};

use super::lane::{Codec, Lane};
use crate::error::{EngineError, Result};
use crate::graph::{AggregateCall, AggregateFunction};

mod average;
mod count;
mod ends;
mod extreme;
mod float_sum;
mod history;
mod integer_sum;
mod last;
mod moments;
mod ordered_set;

pub(crate) use integer_sum::{decimal_column, scale_of};

/// Rows of a batch by their groups.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    /// The group of each row.
    pub(crate) groups: &'a [u32],
    /// Which rows count; `None` for all.
    pub(crate) valid: Option<&'a BooleanBuffer>,
    /// How often each row counts (-1 takes it back); `None` for once.
    pub(crate) signs: Option<&'a [i64]>,
}

impl Rows<'_> {
    /// Calls `each` with row, group and sign of the rows that count.
    #[inline]
    pub(crate) fn for_each(&self, mut each: impl FnMut(usize, usize, i64)) {
        match (self.valid, self.signs) {
            (None, None) => {
                for (row, group) in self.groups.iter().enumerate() {
                    each(row, *group as usize, 1);
                }
            }
            (None, Some(signs)) => {
                for (row, (group, sign)) in self.groups.iter().zip(signs).enumerate() {
                    each(row, *group as usize, *sign);
                }
            }
            (Some(valid), signs) => {
                for row in valid.set_indices() {
                    let sign = signs.map_or(1, |s| s[row]);
                    each(row, self.groups[row] as usize, sign);
                }
            }
        }
    }
}

/// What one aggregate keeps per group.
pub(crate) trait Accumulator: Send {
    /// Makes room for groups `0..groups`; new ones are empty.
    fn resize(&mut self, groups: usize);

    /// Takes rows of the raw input; `argument` is `None` for `COUNT(*)`.
    fn update(&mut self, rows: &Rows<'_>, argument: Option<&Lane>) -> Result<()>;

    /// Takes what [`Accumulator::partials`] of another accumulator gave, a row per group.
    fn merge(&mut self, groups: &[u32], partials: &[ArrayRef]) -> Result<()>;

    /// What was accumulated for the groups, in columns of [`partial_fields`].
    fn partials(&self, groups: &[u32]) -> Result<Vec<ArrayRef>>;

    /// The results of the groups.
    fn values(&self, groups: &[u32]) -> Result<ArrayRef>;

    /// Empties groups.
    fn reset(&mut self, groups: &[u32]);

    /// Roughly the memory in use.
    fn size_bytes(&self) -> usize;
}

/// Makes the accumulator of a call.
///
/// `updating` says that rows are taken back; `distinct_input` that the accumulator is fed by a
/// distinct set, which hands it every value once.
pub(crate) fn create(
    call: &AggregateCall,
    updating: bool,
    distinct_input: bool,
) -> Result<Box<dyn Accumulator>> {
    let argument = &call.argument_type.0;
    let result = &call.result_type.0;
    match call.function {
        AggregateFunction::Count => Ok(Box::new(count::Count::default())),
        AggregateFunction::Sum if is_float(argument) => {
            Ok(Box::new(float_sum::FloatSum::new(call, updating)?))
        }
        AggregateFunction::Sum => Ok(Box::new(integer_sum::IntegerSum::new(call)?)),
        AggregateFunction::Avg if is_float(argument) => {
            expect_type(call, &DataType::Float64)?;
            let sum = float_sum::FloatSum::new(call, updating)?;
            Ok(Box::new(average::FloatAverage::new(sum)))
        }
        AggregateFunction::Avg => Ok(Box::new(average::ExactAverage::new(call)?)),
        AggregateFunction::Min | AggregateFunction::Max => {
            if result != argument || !Codec::new(argument)?.is_ordered() {
                return Err(unsupported(call));
            }
            if updating && distinct_input {
                return Ok(Box::new(ordered_set::OrderedSet::new(call)?));
            }
            Ok(Box::new(extreme::Extreme::new(call)?))
        }
        AggregateFunction::Last => Ok(Box::new(last::Last::new(call)?)),
        AggregateFunction::FirstValue | AggregateFunction::LastValue if !updating => {
            Ok(Box::new(ends::End::new(call)?))
        }
        AggregateFunction::FirstValue
        | AggregateFunction::LastValue
        | AggregateFunction::Collect => Ok(Box::new(history::History::new(call, updating)?)),
        AggregateFunction::VarPop
        | AggregateFunction::VarSamp
        | AggregateFunction::StddevPop
        | AggregateFunction::StddevSamp => Ok(Box::new(moments::Moments::new(call)?)),
    }
}

/// The columns of [`Accumulator::partials`].
pub(crate) fn partial_fields(call: &AggregateCall, updating: bool, prefix: &str) -> Vec<Field> {
    let field = |name: &str, data_type: DataType, nullable: bool| {
        Field::new(format!("{prefix}_{name}"), data_type, nullable)
    };
    let count = || field("count", DataType::Int64, false);
    match call.function {
        AggregateFunction::Count => vec![count()],
        AggregateFunction::Min | AggregateFunction::Max | AggregateFunction::Last => {
            vec![field("value", call.argument_type.0.clone(), true)]
        }
        AggregateFunction::FirstValue | AggregateFunction::LastValue if !updating => {
            vec![field("value", call.argument_type.0.clone(), true)]
        }
        AggregateFunction::FirstValue
        | AggregateFunction::LastValue
        | AggregateFunction::Collect => vec![field("values", DataType::Binary, false)],
        AggregateFunction::VarPop
        | AggregateFunction::VarSamp
        | AggregateFunction::StddevPop
        | AggregateFunction::StddevSamp => {
            let column = |name: &&str| match *name {
                "count" | "special" => field(name, DataType::Int64, false),
                name => field(name, DataType::Float64, false),
            };
            moments::COLUMNS.iter().map(column).collect()
        }
        _ if is_float(&call.argument_type.0) => {
            let float = |name| field(name, DataType::Float64, false);
            let mut fields = vec![count(), float("sum"), float("compensation")];
            if updating {
                let special = ["nan", "infinite", "negative_infinite"];
                fields.extend(special.map(|name| field(name, DataType::Int64, false)));
            }
            fields
        }
        _ => vec![count(), field("sum", DataType::Decimal128(38, 0), false)],
    }
}

/// What the columns of [`partial_fields`] are called, without a prefix, where a call has so many. The
/// only column of a call is what it is about.
pub(crate) fn partial_names(columns: usize) -> &'static [&'static str] {
    const NAMES: [&str; 6] = [
        "count",
        "sum",
        "compensation",
        "nan",
        "infinite",
        "negative_infinite",
    ];
    match columns {
        0 | 1 => &[],
        _ if columns == moments::COLUMNS.len() => moments::COLUMNS,
        _ => NAMES.get(..columns).unwrap_or(&NAMES),
    }
}

fn is_float(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Float32 | DataType::Float64)
}

pub(crate) fn unsupported(call: &AggregateCall) -> EngineError {
    EngineError::config(format!(
        "{} over {} with result {} is not supported",
        call.name, call.argument_type.0, call.result_type.0
    ))
}

fn expect_type(call: &AggregateCall, expected: &DataType) -> Result<()> {
    match &call.result_type.0 {
        found if found == expected => Ok(()),
        _ => Err(unsupported(call)),
    }
}

pub(crate) fn overflow(call: &AggregateCall) -> EngineError {
    EngineError::data(format!("{} overflows {}", call.name, call.result_type.0))
        .with_hint("cast the argument to a wider type, for instance DECIMAL(38, 0)")
}

/// An `Int64` partial column.
fn integers(partials: &[ArrayRef], index: usize) -> Result<&[i64]> {
    let column = partials.get(index);
    let column = column.and_then(|c| c.as_primitive_opt::<Int64Type>());
    column
        .map(|c| c.values().as_ref())
        .ok_or_else(|| EngineError::internal("a partial column is missing or of another type"))
}

fn gather<T: Copy>(values: &[T], groups: &[u32]) -> Vec<T> {
    groups.iter().map(|g| values[*g as usize]).collect()
}

fn integer_column(values: &[i64], groups: &[u32]) -> ArrayRef {
    Arc::new(arrow::array::Int64Array::from(gather(values, groups)))
}
