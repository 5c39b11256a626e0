//! What a run remembers of the rows that it has taken, for the conditions of rows to come.
//!
//! It is a few numbers in a row, so that two runs in the same state that remember the same are one: what becomes
//! of them is the same, and the one that is preferred says what was matched.

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Decimal128Type, Float64Type, Int64Type};

use crate::error::{EngineError, Result};
use crate::graph::AggregateFunction;

/// What a run remembers.
pub(super) type Memory = Box<[u64]>;

/// A value of a row that conditions aggregate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Number {
    Null,
    Exact(i128),
    Float(f64),
}

/// A place in the memory.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Register {
    /// The positions of the last rows of some variables, from the last one back; 0 for none, else one more.
    Last { depth: usize },
    /// How many rows there were (no more than counts) and the position of one of the first.
    First { offset: u64 },
    /// An aggregate over one of the numbers of each row, or over rows: a count and the value.
    Aggregate {
        function: AggregateFunction,
        number: Option<usize>,
    },
}

impl Register {
    fn width(self) -> usize {
        match self {
            Register::Last { depth } => depth,
            Register::First { .. } => 2,
            Register::Aggregate { .. } => 3,
        }
    }

    /// Takes a row.
    pub(super) fn take(self, slots: &mut [u64], position: u64, numbers: &[Number]) -> Result<()> {
        match self {
            Register::Last { .. } => {
                slots.rotate_right(1);
                slots[0] = position + 1;
            }
            Register::First { offset } => {
                if slots[0] == offset {
                    slots[1] = position + 1;
                }
                slots[0] = slots[0].saturating_add(1).min(offset + 1);
            }
            Register::Aggregate { function, number } => {
                let value = number.map(|at| numbers[at]);
                add(slots, function, value)?;
            }
        }
        Ok(())
    }
}

fn add(slots: &mut [u64], function: AggregateFunction, value: Option<Number>) -> Result<()> {
    if value == Some(Number::Null) {
        return Ok(());
    }
    let first = slots[0] == 0;
    slots[0] += 1;
    let Some(value) = value.filter(|_| function != AggregateFunction::Count) else {
        return Ok(());
    };
    let known = exact(slots);
    match (function, value) {
        (_, Number::Null) => {}
        (AggregateFunction::Min | AggregateFunction::Max, _) => {
            let least = function == AggregateFunction::Min;
            let wins = match value {
                Number::Exact(new) => (new < known) == least && new != known,
                Number::Float(new) => {
                    let order = new.total_cmp(&f64::from_bits(slots[1]));
                    if least { order.is_lt() } else { order.is_gt() }
                }
                Number::Null => false,
            };
            if first || wins {
                set(slots, value);
            }
            // How many there were is nobody's question, and would keep runs apart.
            slots[0] = 1;
        }
        (_, Number::Exact(new)) => {
            let sum = known.checked_add(new);
            let sum = sum.ok_or_else(|| EngineError::data("a sum in a condition overflows"))?;
            set(slots, Number::Exact(sum));
        }
        (_, Number::Float(new)) => {
            set(slots, Number::Float(f64::from_bits(slots[1]) + new));
        }
    }
    if function == AggregateFunction::Sum {
        slots[0] = 1;
    }
    Ok(())
}

fn set(slots: &mut [u64], value: Number) {
    match value {
        Number::Null => {}
        Number::Exact(value) => {
            slots[1] = value as u64;
            slots[2] = (value >> 64) as u64;
        }
        Number::Float(value) => slots[1] = value.to_bits(),
    }
}

fn exact(slots: &[u64]) -> i128 {
    (i128::from(slots[2] as i64) << 64) | i128::from(slots[1])
}

/// How the memory is laid out.
#[derive(Default)]
pub(super) struct Layout {
    /// The variables whose rows a register takes, the register, and where it is.
    registers: Vec<(u64, Register, usize)>,
    width: usize,
}

impl Layout {
    /// The number of a register; there is one of each.
    pub(super) fn register(&mut self, variables: u64, register: Register) -> usize {
        let same =
            |(own, known, _): &(u64, Register, usize)| *own == variables && *known == register;
        if let Some(known) = self.registers.iter().position(same) {
            return known;
        }
        self.registers.push((variables, register, self.width));
        self.width += register.width();
        self.registers.len() - 1
    }

    /// Whether nothing is remembered.
    pub(super) fn is_empty(&self) -> bool {
        self.registers.is_empty()
    }

    /// What a run remembers before the first row.
    pub(super) fn blank(&self) -> Memory {
        vec![0; self.width].into()
    }

    pub(super) fn slots<'m>(&self, register: usize, memory: &'m Memory) -> &'m [u64] {
        let (_, kind, at) = self.registers[register];
        &memory[at..at + kind.width()]
    }

    /// A register behind a row of a variable.
    pub(super) fn behind(
        &self,
        register: usize,
        memory: &Memory,
        variable: u8,
        position: u64,
        numbers: &[Number],
    ) -> Result<[u64; 3]> {
        let (variables, kind, _) = self.registers[register];
        let mut slots = [0; 3];
        let own = self.slots(register, memory);
        slots[..own.len()].copy_from_slice(own);
        if variables >> variable & 1 == 1 {
            kind.take(&mut slots, position, numbers)?;
        }
        Ok(slots)
    }

    /// What is remembered behind a row of a variable.
    pub(super) fn after(
        &self,
        memory: &Memory,
        variable: u8,
        position: u64,
        numbers: &[Number],
    ) -> Result<Memory> {
        let mut after = memory.clone();
        for (variables, register, at) in &self.registers {
            if variables >> variable & 1 == 1 {
                let slots = &mut after[*at..at + register.width()];
                register.take(slots, position, numbers)?;
            }
        }
        Ok(after)
    }
}

/// The values of a column as numbers.
pub(super) fn numbers_of(column: &ArrayRef) -> Result<Vec<Number>> {
    let or_null = |row: usize, number: Number| match column.is_null(row) {
        true => Number::Null,
        false => number,
    };
    Ok(match column.data_type() {
        DataType::Float16 | DataType::Float32 | DataType::Float64 => {
            let floats = cast(column, &DataType::Float64)?;
            let floats = floats.as_primitive::<Float64Type>().values().iter();
            let numbers = floats.map(|value| Number::Float(*value)).enumerate();
            numbers.map(|(row, number)| or_null(row, number)).collect()
        }
        DataType::Decimal128(..) => {
            let units = column.as_primitive::<Decimal128Type>().values().iter();
            let numbers = units.map(|value| Number::Exact(*value)).enumerate();
            numbers.map(|(row, number)| or_null(row, number)).collect()
        }
        _ => {
            let integers = cast(column, &DataType::Int64)?;
            let integers = integers.as_primitive::<Int64Type>().values().iter();
            let numbers = integers.map(|v| Number::Exact(i128::from(*v))).enumerate();
            numbers.map(|(row, number)| or_null(row, number)).collect()
        }
    })
}

/// The values of aggregates, given what registers have.
pub(super) fn aggregates(
    function: AggregateFunction,
    argument: Option<&DataType>,
    result: &DataType,
    found: &[[u64; 3]],
) -> Result<ArrayRef> {
    if function == AggregateFunction::Count {
        let counts = found.iter().map(|slots| slots[0] as i64);
        return Ok(cast(
            &(std::sync::Arc::new(Int64Array::from_iter_values(counts)) as ArrayRef),
            result,
        )?);
    }
    let is_float = argument.is_some_and(DataType::is_floating);
    let average = function == AggregateFunction::Avg;
    if let (DataType::Decimal128(precision, scale), false) = (result, is_float) {
        let own_scale = match argument {
            Some(DataType::Decimal128(_, own)) => *own,
            _ => 0,
        };
        let factor = 10i128.checked_pow((scale - own_scale).max(0) as u32);
        let value = |slots: &[u64; 3]| -> Result<Option<i128>> {
            if slots[0] == 0 {
                return Ok(None);
            }
            let scaled = factor.and_then(|factor| exact(slots).checked_mul(factor));
            let scaled =
                scaled.ok_or_else(|| EngineError::data("a sum in a condition overflows"))?;
            Ok(Some(if average {
                scaled / i128::from(slots[0])
            } else {
                scaled
            }))
        };
        let values = found.iter().map(value).collect::<Result<Vec<_>>>()?;
        let array = arrow::array::Decimal128Array::from(values);
        return Ok(std::sync::Arc::new(
            array.with_precision_and_scale(*precision, *scale)?,
        ));
    }
    if is_float || average {
        let value = |slots: &[u64; 3]| {
            let sum = match is_float {
                true => f64::from_bits(slots[1]),
                false => exact(slots) as f64,
            };
            let value = if average { sum / slots[0] as f64 } else { sum };
            (slots[0] > 0).then_some(value)
        };
        let array: ArrayRef =
            std::sync::Arc::new(found.iter().map(value).collect::<Float64Array>());
        return Ok(cast(&array, result)?);
    }
    let value = |slots: &[u64; 3]| -> Result<Option<i64>> {
        if slots[0] == 0 {
            return Ok(None);
        }
        let value = i64::try_from(exact(slots));
        value
            .map(Some)
            .map_err(|_| EngineError::data("a sum in a condition overflows"))
    };
    let values = found.iter().map(value).collect::<Result<Vec<_>>>()?;
    let array: ArrayRef = std::sync::Arc::new(Int64Array::from(values));
    Ok(cast(&array, result)?)
}
