//! What an aggregation computes, resolved once: columns, codecs, and who shares a distinct set.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, SchemaRef};

use super::accumulator::partial_fields;
use super::lane::{Codec, Lane};
use super::layout::Layout;
use super::rows::RowsDecoder;
use super::stored::StoredRows;
use crate::error::{EngineError, Result};
use crate::graph::{AggregateCall, AggregateFunction};

/// The most calls that share one distinct set: the bits of a mask.
const SET_USERS: usize = 64;

/// An aggregation, ready to run.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Key columns of the raw input.
    pub(crate) keys: Vec<usize>,
    /// The fields of the keys.
    pub(crate) key_fields: Vec<FieldRef>,
    /// How keys become lanes.
    pub(crate) key_codecs: Vec<Codec>,
    /// The aggregates.
    pub(crate) calls: Vec<Call>,
    /// Argument columns of the raw input, each once, with their codecs.
    pub(crate) arguments: Vec<(usize, Codec)>,
    /// Filter columns of the raw input, each once.
    pub(crate) filters: Vec<usize>,
    /// Distinct sets.
    pub(crate) sets: Vec<SetPlan>,
    /// Whether the input takes rows back.
    pub(crate) updating: bool,
    /// How rows of keyed state are written and read.
    pub(crate) stored: StoredRows,
}

/// One aggregate, resolved.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) call: AggregateCall,
    /// Its position in [`Plan::arguments`].
    pub(crate) argument: Option<usize>,
    /// Its position in [`Plan::filters`].
    pub(crate) filter: Option<usize>,
    /// Whether a distinct set feeds it.
    pub(crate) fed_by_set: bool,
    /// Whether keyed state has what it accumulates, with its group. If not, the entries of its
    /// distinct set say it.
    pub(crate) stored: bool,
    /// How many partial columns it has.
    pub(crate) partials: usize,
}

impl Call {
    /// Whether it accumulates without a set.
    pub(crate) fn is_plain(&self) -> bool {
        !self.fed_by_set
    }
}

/// A distinct set over one argument, shared by up to 64 calls; a call's bit is its position.
#[derive(Debug)]
pub(crate) struct SetPlan {
    /// The argument's position in [`Plan::arguments`].
    pub(crate) argument: usize,
    /// Positions in [`Plan::calls`].
    pub(crate) users: Vec<usize>,
}

impl Plan {
    pub(crate) fn new(
        keys: &[usize],
        calls: &[AggregateCall],
        input: &SchemaRef,
        updating: bool,
    ) -> Result<Self> {
        let field = |column: usize| -> Result<FieldRef> {
            input.fields().get(column).cloned().ok_or_else(|| {
                EngineError::internal(format!("an aggregation reads column {column} of {input}"))
            })
        };
        let key_fields = keys.iter().map(|k| field(*k)).collect::<Result<Vec<_>>>()?;
        let key_codecs = key_fields.iter().map(|f| Codec::new(f.data_type()));
        let mut plan = Plan {
            keys: keys.to_vec(),
            key_codecs: key_codecs.collect::<Result<_>>()?,
            key_fields,
            calls: Vec::new(),
            arguments: Vec::new(),
            filters: Vec::new(),
            sets: Vec::new(),
            updating,
            stored: StoredRows::default(),
        };
        for call in calls {
            plan.check(call, input)?;
            plan.add(call)?;
        }
        plan.stored = StoredRows::fresh(&plan)?;
        Ok(plan)
    }

    /// The plan of an aggregation that goes on from keyed state with these layouts, and whose groups
    /// expire if it is `stamped`.
    pub(crate) fn continuing(
        mut self,
        restored: &[Layout],
        stamped: bool,
        now_ms: i64,
    ) -> Result<Self> {
        self.stored = StoredRows::new(&self, stamped, restored, now_ms)?;
        Ok(self)
    }

    fn check(&self, call: &AggregateCall, input: &SchemaRef) -> Result<()> {
        let type_of = |column: usize| input.fields().get(column).map(|f| f.data_type());
        let argument = match call.argument {
            Some(column) => type_of(column) == Some(&call.argument_type.0),
            None => call.function == AggregateFunction::Count && !call.distinct,
        };
        let filter = match call.filter {
            Some(column) => type_of(column) == Some(&DataType::Boolean),
            None => true,
        };
        if argument && filter {
            return Ok(());
        }
        Err(EngineError::internal(format!(
            "{} does not fit its input {input}",
            call.name
        )))
    }

    fn add(&mut self, call: &AggregateCall) -> Result<()> {
        let argument = match call.argument {
            Some(column) => Some(self.argument(column, &call.argument_type.0)?),
            None => None,
        };
        let filter = call
            .filter
            .map(|column| position_or_push(&mut self.filters, |f| *f == column, || column));
        // Taking back a least or greatest value needs to know the others: that is a set.
        let extreme = matches!(
            call.function,
            AggregateFunction::Min | AggregateFunction::Max
        );
        let fed_by_set = if extreme {
            self.updating
        } else {
            // What is by arrival finds equal values by itself, NULLs too.
            call.distinct && !call.function.is_by_arrival()
        };
        if let (true, Some(argument)) = (fed_by_set, argument) {
            let user = self.calls.len();
            let set = position_or_push(
                &mut self.sets,
                |s| s.argument == argument && s.users.len() < SET_USERS,
                || SetPlan {
                    argument,
                    users: Vec::new(),
                },
            );
            self.sets[set].users.push(user);
        }
        self.calls.push(Call {
            call: call.clone(),
            argument,
            filter,
            fed_by_set,
            stored: !(fed_by_set && extreme),
            partials: partial_fields(call, self.updating, "").len(),
        });
        Ok(())
    }

    fn argument(&mut self, column: usize, data_type: &DataType) -> Result<usize> {
        let codec = Codec::new(data_type)?;
        let found = |(c, _): &(usize, Codec)| *c == column;
        Ok(position_or_push(&mut self.arguments, found, || {
            (column, codec)
        }))
    }

    /// The calls that accumulate without a set, with their positions.
    pub(crate) fn plain(&self) -> impl Iterator<Item = (usize, &Call)> {
        self.calls.iter().enumerate().filter(|(_, c)| !c.fed_by_set)
    }

    /// The calls whose accumulated values keyed state has with their groups.
    pub(crate) fn stored(&self) -> impl Iterator<Item = (usize, &Call)> {
        self.calls.iter().enumerate().filter(|(_, c)| c.stored)
    }

    /// Whether the row of a group in keyed state says the results of all calls.
    pub(crate) fn all_stored(&self) -> bool {
        self.calls.iter().all(|c| c.stored)
    }

    /// The fields of what a local phase sends, behind keys and slice.
    pub(crate) fn partial_fields(&self) -> Vec<Field> {
        let mut fields = Vec::new();
        if self.updating {
            fields.push(Field::new("rows", DataType::Int64, false));
        }
        for (position, call) in self.plain() {
            let prefix = format!("aggregate_{position}");
            fields.extend(partial_fields(&call.call, self.updating, &prefix));
        }
        for (position, set) in self.sets.iter().enumerate() {
            let name = format!("distinct_{position}");
            fields.push(Field::new(name, self.set_type(set), false));
        }
        fields
    }

    /// The type of the values of a set that a local phase sends: a list of values, each with the
    /// calls that it counts for, as bits.
    fn set_type(&self, set: &SetPlan) -> DataType {
        let item = Field::new("item", DataType::Struct(self.set_fields(set)), false);
        DataType::List(Arc::new(item))
    }

    pub(crate) fn set_fields(&self, set: &SetPlan) -> Fields {
        let value = self.arguments[set.argument].1.data_type().clone();
        Fields::from(vec![
            Field::new("value", value, true),
            Field::new("calls", DataType::UInt64, false),
        ])
    }

    /// The fields of the keys and of the results.
    pub(crate) fn output_fields(&self) -> Vec<FieldRef> {
        let result = |c: &Call| -> FieldRef {
            let nullable = c.call.function != AggregateFunction::Count;
            let data_type = c.call.result_type.0.clone();
            Arc::new(Field::new(c.call.name.clone(), data_type, nullable))
        };
        let results = self.calls.iter().map(result);
        self.key_fields.iter().cloned().chain(results).collect()
    }

    /// The lanes of key columns.
    pub(crate) fn encode_keys(&self, columns: &[ArrayRef]) -> Result<Vec<Lane>> {
        let pairs = self.key_codecs.iter().zip(columns);
        pairs.map(|(codec, column)| codec.encode(column)).collect()
    }

    /// The key columns of lanes.
    pub(crate) fn decode_keys(&self, lanes: Vec<Lane>) -> Result<Vec<ArrayRef>> {
        let pairs = self.key_codecs.iter().zip(lanes);
        pairs.map(|(codec, lane)| codec.decode(lane)).collect()
    }

    /// The lanes of the first `columns` key columns, from keys as keyed state has them.
    pub(crate) fn read_keys(&self, keys: &[&[u8]], columns: usize) -> Result<Vec<Lane>> {
        let mut decoder = RowsDecoder::new(self.key_codecs.iter().take(columns));
        keys.iter().try_for_each(|key| decoder.push_all(key))?;
        decoder.finish()
    }

    /// The key columns of a raw batch.
    pub(crate) fn raw_keys(&self, rows: &RecordBatch) -> Vec<ArrayRef> {
        let keys = self.keys.iter();
        keys.map(|k| rows.column(*k).clone()).collect()
    }

    /// All columns of the raw input that are read, each once.
    pub(crate) fn columns(&self) -> Vec<usize> {
        let arguments = self.arguments.iter().map(|(column, _)| column);
        let mut columns: Vec<usize> = self
            .keys
            .iter()
            .chain(arguments)
            .chain(&self.filters)
            .copied()
            .collect();
        columns.sort_unstable();
        columns.dedup();
        columns
    }

    /// Which rows of a raw batch pass each filter; NULL does not pass.
    pub(crate) fn encode_filters(&self, rows: &RecordBatch) -> Result<Vec<BooleanBuffer>> {
        let filter = |column: &usize| {
            let mask = rows.column(*column).as_boolean_opt();
            let mask = mask.ok_or_else(|| EngineError::internal("a filter is not boolean"))?;
            Ok(match mask.nulls() {
                Some(nulls) => mask.values() & nulls.inner(),
                None => mask.values().clone(),
            })
        };
        self.filters.iter().map(filter).collect()
    }
}

fn position_or_push<T>(
    items: &mut Vec<T>,
    found: impl FnMut(&T) -> bool,
    make: impl FnOnce() -> T,
) -> usize {
    match items.iter().position(found) {
        Some(position) => position,
        None => {
            items.push(make());
            items.len() - 1
        }
    }
}
