//! What is told of matches.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int64Array, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, SchemaRef};

use crate::element::{Batch, rows_of};
use crate::error::{EngineError, Result};
use crate::graph::{
    Bound, DataTypeSpec, Frame, FrameUnit, OverCall, OverFunction, PatternSpec, Reference,
};
use crate::operator::keyed_rows::{NONE, Rows};
use crate::operator::over::span::{Part, Span};
use crate::operator::over::values::{Operands, values};

/// Rows that match.
pub(super) struct Match {
    /// Rows before it that may be asked for, its own, and rows behind it that may be.
    pub(super) rows: Vec<u32>,
    /// How many are before it.
    pub(super) before: usize,
    /// The variables of its rows.
    pub(super) variables: Vec<u8>,
    /// The number of the match.
    pub(super) number: i64,
}

/// Turns matches into rows.
pub(super) struct Measures {
    /// The columns of rows that come first.
    columns: Vec<usize>,
    measures: Vec<Reference>,
    all_rows: bool,
    names: Vec<String>,
    output: SchemaRef,
    rows: SchemaRef,
    pub(super) looks_back: u64,
}

/// Rows that are told of: a match, and a place among its rows.
type Told<'a> = Vec<(&'a Match, usize)>;

impl Measures {
    pub(super) fn new(spec: &PatternSpec, output: &SchemaRef) -> Result<Self> {
        let columns = match spec.all_rows {
            true => (0..spec.rows.0.fields().len()).collect(),
            false => spec.partition_by.clone(),
        };
        if columns.len() + spec.measures.len() != output.fields().len() {
            return Err(EngineError::internal(
                "a pattern gives other columns than it should",
            ));
        }
        let looks_back = spec.measures.iter().map(Reference::looks_back);
        Ok(Measures {
            columns,
            looks_back: looks_back.max().unwrap_or(0),
            measures: spec.measures.clone(),
            all_rows: spec.all_rows,
            names: spec.variables.iter().map(|v| v.name.clone()).collect(),
            output: output.clone(),
            rows: spec.rows.0.clone(),
        })
    }

    /// The rows that matches give.
    pub(super) fn tell(&self, found: &[Match], rows: &mut Rows) -> Result<Option<Batch>> {
        let wanted = |one: &Match| match self.all_rows {
            true => 0..one.variables.len(),
            false => one.variables.len() - 1..one.variables.len(),
        };
        let told: Told<'_> = found
            .iter()
            .flat_map(|one| wanted(one).map(move |at| (one, at)))
            .collect();
        if told.is_empty() {
            return Ok(None);
        }
        let own: Vec<u32> = told.iter().map(|(m, at)| m.rows[m.before + at]).collect();
        let mut columns = rows.gather_some(&own, &self.columns)?;
        let mut known: Vec<(Reference, Vec<u32>)> = Vec::new();
        for (measure, field) in self
            .measures
            .iter()
            .zip(self.output.fields().iter().skip(self.columns.len()))
        {
            let column: ArrayRef = match *measure {
                Reference::Row { column, .. } => {
                    let key = of_column(*measure, 0);
                    if !known.iter().any(|(other, _)| *other == key) {
                        let numbers = told.iter().map(|(one, at)| one.find(*measure, *at));
                        known.push((key, numbers.collect()));
                    }
                    let numbers = known.iter().find(|(other, _)| *other == key);
                    let numbers = numbers.map_or(&[][..], |(_, numbers)| numbers);
                    let column = rows.gather_some(numbers, &[column])?.pop();
                    column.ok_or_else(|| EngineError::internal("a row lacks a column"))?
                }
                Reference::Aggregate { .. } => {
                    self.aggregate(*measure, field.data_type(), found, rows)?
                }
                Reference::Classifier => {
                    let name = |(one, at): &(&Match, usize)| {
                        self.names.get(one.variables[*at] as usize).cloned()
                    };
                    Arc::new(told.iter().map(name).collect::<StringArray>())
                }
                Reference::MatchNumber => {
                    let numbers = told.iter().map(|(one, _)| one.number);
                    Arc::new(Int64Array::from_iter_values(numbers))
                }
            };
            columns.push(match column.data_type() == field.data_type() {
                true => column,
                false => cast(&column, field.data_type())?,
            });
        }
        let rows = rows_of(&self.output, columns, told.len())?;
        Ok(Some(Batch::inserts(rows)))
    }

    /// An aggregate over the rows of each match.
    fn aggregate(
        &self,
        measure: Reference,
        result: &DataType,
        found: &[Match],
        rows: &mut Rows,
    ) -> Result<ArrayRef> {
        let Reference::Aggregate {
            function,
            column,
            distinct,
            variables,
            running,
        } = measure
        else {
            return Err(EngineError::internal("a row is no aggregate"));
        };
        let mut span = Span::default();
        let mut all: Vec<u32> = Vec::new();
        let mut counts: Vec<bool> = Vec::new();
        for one in found {
            let start = all.len();
            all.extend(&one.rows[one.before..][..one.variables.len()]);
            counts.extend(one.variables.iter().map(|v| variables >> v & 1 == 1));
            span.parts.push(Part {
                rows: start..all.len(),
                wanted: if self.all_rows { start } else { all.len() - 1 }..all.len(),
                carried: false,
            });
        }
        span.ties = vec![false; all.len()];
        let argument = match column {
            Some(column) => rows.gather_some(&all, &[column])?.pop(),
            None => None,
        };
        let argument_type =
            column.map_or(DataType::Int64, |c| self.rows.field(c).data_type().clone());
        let call = OverCall {
            function: OverFunction::Aggregate(function),
            argument: column,
            argument_type: DataTypeSpec(argument_type),
            filter: Some(0),
            distinct,
            ignore_nulls: false,
            frame: Frame {
                unit: FrameUnit::Rows,
                start: Bound::Unbounded,
                end: if running {
                    Bound::Current
                } else {
                    Bound::Unbounded
                },
            },
            result_type: DataTypeSpec(result.clone()),
            name: format!("{function:?}"),
        };
        let operands = Operands {
            argument,
            filter: Some(Arc::new(BooleanArray::from(counts))),
            ..Operands::default()
        };
        Ok(values(&call, &span, &operands, false)?.column)
    }
}

/// The same reference to another column.
fn of_column(reference: Reference, other: usize) -> Reference {
    match reference {
        Reference::Row {
            variables,
            first,
            offset,
            shift,
            running,
            ..
        } => Reference::Row {
            column: other,
            variables,
            first,
            offset,
            shift,
            running,
        },
        other => other,
    }
}

impl Match {
    /// The row that a reference finds for the row at `at`.
    fn find(&self, reference: Reference, at: usize) -> u32 {
        let Reference::Row {
            variables,
            first,
            offset,
            shift,
            running,
            ..
        } = reference
        else {
            return NONE;
        };
        let counted = match running {
            true => &self.variables[..=at],
            false => &self.variables[..],
        };
        let counts = |place: &usize| variables >> counted[*place] & 1 == 1;
        let places = 0..counted.len();
        let place = match first {
            true => places.filter(counts).nth(offset as usize),
            false => places.rev().filter(counts).nth(offset as usize),
        };
        let place =
            place.and_then(|place| (self.before + place).checked_add_signed(shift as isize));
        place
            .and_then(|place| self.rows.get(place).copied())
            .unwrap_or(NONE)
    }
}
