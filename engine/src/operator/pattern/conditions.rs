//! What makes a row one of a variable.
//!
//! Conditions about the row alone, and those a fixed number of rows before it, are computed for many rows at once
//! when these come in. Conditions about what a run has matched are asked for one row of each of many runs at once.

use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch};
use datafusion::execution::TaskContext;

use super::memory::{Layout, Number, Register, aggregates, numbers_of};
use super::partition::Partition;
use crate::element::rows_of;
use crate::error::{EngineError, Result};
use crate::expression::Evaluator;
use crate::graph::{AggregateFunction, PatternCondition, PatternSpec, Reference};
use crate::operator::keyed_rows::{NONE, Rows};

/// Where a value is found.
#[derive(Debug, Clone, Copy)]
enum Source {
    /// A column of a row.
    Row {
        column: usize,
        place: Place,
        shift: i64,
    },
    /// What a register comes to with the row.
    Aggregate {
        register: usize,
        function: AggregateFunction,
        column: Option<usize>,
    },
}

/// Which row.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// The one that is asked about.
    Own,
    /// One that a register has.
    Last { register: usize, at: usize },
    /// The same; the row that is asked about, if it is the one that is counted to.
    First {
        register: usize,
        offset: u64,
        own: bool,
    },
}

struct Condition {
    values: Vec<Source>,
    schema: arrow::datatypes::SchemaRef,
    evaluator: Evaluator,
}

/// The conditions of all variables.
pub(super) struct Conditions {
    /// By variable; `None` if any row is one of it, or if it is not in the pattern.
    conditions: Vec<Option<Condition>>,
    /// The variables whose conditions are about what was matched.
    pub(super) dynamic: u64,
    /// What runs remember for them.
    pub(super) layout: Layout,
    /// The columns that they aggregate.
    numbers: Vec<usize>,
    /// So many rows before a row may be asked for.
    pub(super) looks_back: u64,
}

/// A run that asks about its next row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question {
    pub(super) partition: u32,
    pub(super) thread: u32,
    /// Where the answer goes.
    pub(super) answer: u32,
}

impl Conditions {
    pub(super) fn new(spec: &PatternSpec, functions: &TaskContext) -> Result<Self> {
        let mut all = Conditions {
            conditions: Vec::new(),
            dynamic: 0,
            layout: Layout::default(),
            numbers: Vec::new(),
            looks_back: 0,
        };
        for (variable, declared) in spec.variables.iter().enumerate() {
            let condition = match &declared.condition {
                Some(condition) if spec.pattern.has(variable) => {
                    Some(all.condition(variable as u8, condition, functions)?)
                }
                _ => None,
            };
            all.conditions.push(condition);
        }
        Ok(all)
    }

    fn condition(
        &mut self,
        variable: u8,
        declared: &PatternCondition,
        functions: &TaskContext,
    ) -> Result<Condition> {
        let mut values = Vec::new();
        for value in &declared.values {
            self.looks_back = self.looks_back.max(value.looks_back());
            let source = self.source(variable, *value)?;
            if !matches!(
                source,
                Source::Row {
                    place: Place::Own,
                    ..
                }
            ) {
                self.dynamic |= 1 << variable;
            }
            values.push(source);
        }
        Ok(Condition {
            values,
            evaluator: Evaluator::new(&declared.expression, &declared.schema.0, functions)?,
            schema: declared.schema.0.clone(),
        })
    }

    fn source(&mut self, variable: u8, value: Reference) -> Result<Source> {
        match value {
            Reference::Row {
                column,
                variables,
                first,
                offset,
                shift,
                ..
            } => {
                let own = variables >> variable & 1 == 1;
                let offset = offset as usize;
                let place = match (first, own) {
                    (true, _) => Place::First {
                        register: self.layout.register(
                            variables,
                            Register::First {
                                offset: offset as u64,
                            },
                        ),
                        offset: offset as u64,
                        own,
                    },
                    (false, true) if offset == 0 => Place::Own,
                    (false, _) => {
                        let at = offset - usize::from(own);
                        let register = Register::Last { depth: at + 1 };
                        Place::Last {
                            register: self.layout.register(variables, register),
                            at,
                        }
                    }
                };
                Ok(Source::Row {
                    column,
                    place,
                    shift,
                })
            }
            Reference::Aggregate {
                function,
                column,
                variables,
                ..
            } => {
                let number = column.map(|column| {
                    let known = self.numbers.iter().position(|c| *c == column);
                    known.unwrap_or_else(|| {
                        self.numbers.push(column);
                        self.numbers.len() - 1
                    })
                });
                let register = Register::Aggregate { function, number };
                Ok(Source::Aggregate {
                    register: self.layout.register(variables, register),
                    function,
                    column,
                })
            }
            Reference::Classifier | Reference::MatchNumber => Err(EngineError::internal(
                "a condition asks about the match that it decides on",
            )),
        }
    }

    /// By row: the variables that it may be one of as far as that does not depend on what was matched. `find` gives the
    /// number of the row that is so many rows behind one of them, or before it.
    pub(super) fn truths(
        &self,
        count: usize,
        rows: &mut Rows,
        find: &dyn Fn(usize, i64) -> u32,
    ) -> Result<Vec<u64>> {
        let mut truths = vec![0u64; count];
        for (variable, condition) in self.conditions.iter().enumerate() {
            let bit = 1u64 << variable;
            let Some(condition) = condition else {
                truths.iter_mut().for_each(|truth| *truth |= bit);
                continue;
            };
            if self.dynamic & bit != 0 {
                continue;
            }
            let mut columns = Vec::with_capacity(condition.values.len());
            for value in &condition.values {
                let Source::Row { column, shift, .. } = value else {
                    return Err(EngineError::internal("a condition of a row aggregates"));
                };
                let numbers: Vec<u32> = (0..count).map(|row| find(row, *shift)).collect();
                columns.push(only(rows.gather_some(&numbers, &[*column])?)?);
            }
            let passes = condition.evaluate(columns, count)?;
            for (row, truth) in truths.iter_mut().enumerate() {
                if passes.is_valid(row) && passes.value(row) {
                    *truth |= bit;
                }
            }
        }
        Ok(truths)
    }

    /// By row of a batch: the values that conditions aggregate.
    pub(super) fn numbers(&self, batch: &RecordBatch) -> Result<Vec<Box<[Number]>>> {
        if self.numbers.is_empty() {
            return Ok(vec![Box::default(); batch.num_rows()]);
        }
        let columns = self.numbers.iter();
        let columns = columns.map(|column| numbers_of(batch.column(*column)));
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let of_row = |row: usize| columns.iter().map(|column| column[row]).collect();
        Ok((0..batch.num_rows()).map(of_row).collect())
    }

    /// Answers whether the next rows of runs are rows of a variable.
    pub(super) fn ask(
        &self,
        variable: u8,
        questions: &[Question],
        partitions: &[Partition],
        rows: &mut Rows,
        answers: &mut [u64],
    ) -> Result<()> {
        let Some(condition) = &self.conditions[variable as usize] else {
            return Err(EngineError::internal(
                "a variable without a condition is asked about",
            ));
        };
        let mut columns = Vec::with_capacity(condition.values.len());
        for (value, field) in condition.values.iter().zip(condition.schema.fields()) {
            columns.push(match *value {
                Source::Row {
                    column,
                    place,
                    shift,
                } => {
                    let find = |question: &Question| self.find(question, place, shift, partitions);
                    let numbers: Vec<u32> = questions.iter().map(find).collect();
                    only(rows.gather_some(&numbers, &[column])?)?
                }
                Source::Aggregate {
                    register,
                    function,
                    column,
                } => {
                    let found = questions.iter().map(|question| {
                        let partition = &partitions[question.partition as usize];
                        let memory = &partition.threads[question.thread as usize].memory;
                        let (at, row) = partition.asked();
                        let numbers = row.map_or(&[][..], |row| &row.numbers);
                        self.layout.behind(register, memory, variable, at, numbers)
                    });
                    let found = found.collect::<Result<Vec<_>>>()?;
                    let argument = column.map(|c| rows.schema().field(c).data_type().clone());
                    aggregates(function, argument.as_ref(), field.data_type(), &found)?
                }
            });
        }
        let passes = condition.evaluate(columns, questions.len())?;
        for (row, question) in questions.iter().enumerate() {
            if passes.is_valid(row) && passes.value(row) {
                answers[question.answer as usize] |= 1 << variable;
            }
        }
        Ok(())
    }

    /// The number of the row that a question is about.
    fn find(&self, question: &Question, place: Place, shift: i64, all: &[Partition]) -> u32 {
        let partition = &all[question.partition as usize];
        let memory = &partition.threads[question.thread as usize].memory;
        let next = partition.next;
        let position = match place {
            Place::Own => Some(next),
            Place::Last { register, at } => self.layout.slots(register, memory)[at].checked_sub(1),
            Place::First {
                register,
                offset,
                own,
            } => match self.layout.slots(register, memory) {
                [count, _] if *count == offset && own => Some(next),
                [count, at] if *count > offset => at.checked_sub(1),
                _ => None,
            },
        };
        let position = position.and_then(|position| position.checked_add_signed(shift));
        let row = position.and_then(|position| partition.row(position));
        row.map_or(NONE, |row| row.number)
    }
}

impl Condition {
    fn evaluate(&self, columns: Vec<ArrayRef>, count: usize) -> Result<BooleanArray> {
        self.evaluator
            .evaluate_filter(&rows_of(&self.schema, columns, count)?)
    }
}

fn only(mut columns: Vec<ArrayRef>) -> Result<ArrayRef> {
    let only = columns.pop();
    only.ok_or_else(|| EngineError::internal("a row lacks a column"))
}
