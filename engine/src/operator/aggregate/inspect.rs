//! Rows of an aggregation's keyed state as columns, without the aggregation: the layouts say it all.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int32Array, Int64Array, RecordBatch, new_null_array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

use super::accumulator::partial_names;
use super::lane::{Codec, Lane, LaneKind, Values};
use super::layout::{Layout, StoredCall};
use super::rows::{RowsDecoder, damaged};
use super::stored::StoredRows;
use crate::element::rows_of;
use crate::error::{EngineError, Result};
use crate::key::KeyGroup;

/// How the keys of groups look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyForm {
    /// The columns of the key.
    Groups,
    /// The end of a slice stands in front.
    Slices,
    /// The last column is the start of a session.
    Sessions,
}

/// A column of a table of groups or of entries of a set.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) field: Field,
    of: Of,
}

impl Column {
    /// Whether it is this column of the key.
    pub(crate) fn is_key(&self, key: usize) -> bool {
        self.of == Of::Key(key)
    }
}

/// What a column says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    KeyGroup,
    /// The end of the slice.
    Slice,
    /// This column of the key; behind the last one, the value of a set's entry.
    Key(usize),
    /// The number of the row's layout.
    Layout,
    /// When the group was last touched.
    Touched,
    /// How many rows the group has.
    Rows,
    /// This column of the call with this slot.
    Call(u32, usize),
    /// Whether, or how often, an entry of a set counts for the call at this position.
    Member(usize),
}

/// An entry of keyed state.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stored<'a> {
    pub(crate) group: KeyGroup,
    /// The end of the slice, where there are slices.
    pub(crate) slice: i64,
    /// The key behind that.
    pub(crate) key: &'a [u8],
    pub(crate) row: &'a [u8],
}

/// A moment without a time zone, as windows have it.
fn moment() -> DataType {
    DataType::Timestamp(TimeUnit::Millisecond, None)
}

/// A moment of processing time.
fn instant() -> DataType {
    DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()))
}

/// Collects columns, each under a name of its own.
struct Columns {
    columns: Vec<Column>,
    taken: BTreeSet<String>,
}

impl Columns {
    /// The columns of the key.
    fn of_key(layout: &Layout, form: KeyForm) -> Self {
        let mut columns = Columns {
            columns: Vec::new(),
            taken: BTreeSet::new(),
        };
        columns.add("key_group", DataType::Int32, false, Of::KeyGroup);
        if form == KeyForm::Slices {
            columns.add("slice_end", moment(), false, Of::Slice);
        }
        let last = layout.keys.len().saturating_sub(1);
        for (at, key) in layout.keys.iter().enumerate() {
            match form {
                KeyForm::Sessions if at == last => {
                    columns.add("session_start", moment(), false, Of::Key(at));
                }
                _ => columns.add(&key.name, key.data_type.0.clone(), true, Of::Key(at)),
            }
        }
        columns
    }

    fn add(&mut self, name: &str, data_type: DataType, nullable: bool, of: Of) {
        let field = Field::new(unique(&mut self.taken, name), data_type, nullable);
        self.columns.push(Column { field, of });
    }
}

/// The name, with a number behind it if it is taken; names differ in more than their case.
pub(crate) fn unique(taken: &mut BTreeSet<String>, name: &str) -> String {
    let mut own = name.to_string();
    let mut number = 2;
    while !taken.insert(own.to_lowercase()) {
        own = format!("{name}_{number}");
        number += 1;
    }
    own
}

/// The longest name that is made of a text.
const LONGEST_NAME: usize = 60;

/// A text as a name that needs no quotes: `SUM(v)` is `sum_v`, and `GroupAggregate` is
/// `group_aggregate`. Casts are left out, because most are nobody's words.
pub(crate) fn identifier(text: &str) -> String {
    let mut name = String::new();
    let mut was_small = false;
    for c in without_casts(text).chars() {
        if !c.is_alphanumeric() {
            was_small = false;
            if !name.ends_with('_') {
                name.push('_');
            }
            continue;
        }
        if c.is_uppercase() && was_small {
            name.push('_');
        }
        was_small = c.is_lowercase();
        name.extend(c.to_lowercase());
    }
    let cut: String = name.trim_matches('_').chars().take(LONGEST_NAME).collect();
    match cut.trim_end_matches('_') {
        "" => "unnamed".to_string(),
        cut => cut.to_string(),
    }
}

/// `AVG(CAST(v AS Float64))` becomes `AVG(v)`.
fn without_casts(text: &str) -> String {
    const CAST: &str = "CAST(";
    let mut rest = text;
    let mut out = String::new();
    while let Some((before, inside)) = rest.split_once(CAST) {
        let mut depth = 1;
        let end = inside.char_indices().find(|(_, c)| {
            depth += match c {
                '(' => 1,
                ')' => -1,
                _ => 0,
            };
            depth == 0
        });
        let parts = end.map(|(end, _)| inside.split_at(end));
        let Some((cast, behind)) = parts else { break };
        let Some((value, _)) = cast.rsplit_once(" AS ") else {
            break;
        };
        out.push_str(before);
        out.push_str(&without_casts(value));
        rest = behind.strip_prefix(')').unwrap_or(behind);
    }
    out.push_str(rest);
    out
}

/// The columns of a call: its type is that of the result where what is stored is only its digits.
fn call_columns(call: &StoredCall) -> Vec<(String, DataType)> {
    let base = identifier(&call.name);
    let names = partial_names(call.columns.len());
    let column = |(at, stored): (usize, &crate::graph::DataTypeSpec)| {
        let name = names.get(at).map(|name| format!("{base}_{name}"));
        let data_type = match (&stored.0, &call.argument.0) {
            // Sums of decimals are stored without their scale.
            (DataType::Decimal128(38, 0), DataType::Decimal128(_, scale)) if !names.is_empty() => {
                DataType::Decimal128(38, *scale)
            }
            (stored, _) => stored.clone(),
        };
        (name.unwrap_or_else(|| base.clone()), data_type)
    };
    call.columns.iter().enumerate().map(column).collect()
}

/// The columns of a table of groups. Of layouts that rows have, the last says which calls there are.
pub(crate) fn group_columns(layouts: &[Layout], form: KeyForm) -> Vec<Column> {
    let Some(own) = layouts.last() else {
        return Vec::new();
    };
    let mut columns = Columns::of_key(own, form);
    if layouts.len() > 1 {
        columns.add("layout", DataType::Int32, false, Of::Layout);
    }
    if own.stamped_since_ms.is_some() {
        columns.add("last_touched", instant(), true, Of::Touched);
    }
    if own.updating {
        columns.add("row_count", DataType::Int64, true, Of::Rows);
    }
    let last = own.calls.last().map(|call| call.slot);
    for call in &own.calls {
        if form == KeyForm::Sessions && last == Some(call.slot) {
            columns.add("last_time", moment(), true, Of::Call(call.slot, 0));
            continue;
        }
        for (at, (name, data_type)) in call_columns(call).into_iter().enumerate() {
            columns.add(&name, data_type, true, Of::Call(call.slot, at));
        }
    }
    columns.columns
}

/// The columns of a table of the entries of a set, by its position in the last layout: for each call
/// whether the value counts for it, or how often where rows are taken back.
pub(crate) fn set_columns(layouts: &[Layout], form: KeyForm, set: usize) -> Vec<Column> {
    let found = layouts
        .last()
        .and_then(|own| Some((own, own.sets.get(set)?)));
    let Some((own, set)) = found else {
        return Vec::new();
    };
    let mut columns = Columns::of_key(own, form);
    let value = set.data_type.0.clone();
    columns.add("value", value, true, Of::Key(own.keys.len()));
    for (at, slot) in set.calls.iter().enumerate() {
        let call = own.calls.iter().find(|call| call.slot == *slot);
        let name = call.map_or_else(|| format!("call_{slot}"), |call| identifier(&call.name));
        let data_type = match own.updating {
            true => DataType::Int64,
            false => DataType::Boolean,
        };
        columns.add(&name, data_type, false, Of::Member(at));
    }
    columns.columns
}

pub(crate) fn schema_of(columns: &[Column]) -> SchemaRef {
    let fields: Vec<Field> = columns.iter().map(|c| c.field.clone()).collect();
    Arc::new(Schema::new(fields))
}

/// Rows with these columns, of which there may be none.
pub(crate) fn batch(
    schema: &SchemaRef,
    columns: Vec<ArrayRef>,
    rows: usize,
) -> Result<RecordBatch> {
    rows_of(schema, columns, rows)
}

/// Keys that were read, in what they have beside their columns.
#[derive(Default)]
struct Places {
    groups: Vec<i32>,
    slices: Vec<i64>,
}

impl Places {
    fn push(&mut self, stored: &Stored<'_>) {
        self.groups.push(i32::from(stored.group));
        self.slices.push(stored.slice);
    }
}

/// A lane as a column of this type, which has the same lane.
fn decode(lane: Lane, data_type: &DataType) -> Result<ArrayRef> {
    let codec = Codec::new(data_type)?;
    let kind = match lane.values {
        Values::I64(_) => LaneKind::I64,
        Values::I128(_) => LaneKind::I128,
        Values::Bytes(_) => LaneKind::Bytes,
    };
    match kind == codec.kind() {
        true => codec.decode(lane),
        false => Err(damaged()),
    }
}

/// A column that groups and entries of sets have alike.
fn key_column(column: &Column, places: &Places, keys: &[Lane]) -> Result<ArrayRef> {
    let data_type = column.field.data_type();
    match column.of {
        Of::KeyGroup => Ok(Arc::new(Int32Array::from(places.groups.clone()))),
        Of::Slice => decode(Lane::integers(places.slices.clone()), data_type),
        Of::Key(at) => decode(keys.get(at).cloned().ok_or_else(damaged)?, data_type),
        other => Err(EngineError::internal(format!("{other:?} is not in a key"))),
    }
}

fn codecs<'t>(types: impl IntoIterator<Item = &'t DataType>) -> Result<Vec<Codec>> {
    types.into_iter().map(Codec::new).collect()
}

/// Reads rows of groups, each through the layout that it names.
pub(crate) struct GroupsDecoder {
    layouts: Arc<[Layout]>,
    stored: StoredRows,
    keys: Vec<Codec>,
    columns: Vec<Column>,
    schema: SchemaRef,
    /// By layout.
    parts: Vec<Option<Part>>,
}

/// Rows of one layout.
struct Part {
    places: Places,
    keys: RowsDecoder,
    rows: RowsDecoder,
}

impl GroupsDecoder {
    pub(crate) fn new(layouts: Arc<[Layout]>, columns: Vec<Column>) -> Result<Self> {
        let stored = StoredRows::of_layouts(&layouts)?;
        let keys = layouts.last().map(|own| own.keys.as_slice());
        let mut parts = Vec::new();
        parts.resize_with(stored.readers(), || None);
        Ok(GroupsDecoder {
            keys: codecs(keys.unwrap_or_default().iter().map(|k| &k.data_type.0))?,
            schema: schema_of(&columns),
            columns,
            layouts,
            stored,
            parts,
        })
    }

    pub(crate) fn push(&mut self, entry: &Stored<'_>) -> Result<()> {
        let (at, row) = self.stored.group_row(entry.row)?;
        let (Some(part), Some(reader)) = (self.parts.get_mut(at), self.stored.reader(at)) else {
            return Err(damaged());
        };
        let part = part.get_or_insert_with(|| Part {
            places: Places::default(),
            keys: RowsDecoder::new(&self.keys),
            rows: RowsDecoder::new(&reader.codecs),
        });
        part.places.push(entry);
        part.keys.push_all(entry.key)?;
        part.rows.push_all(row)
    }

    /// What was read since the last call.
    pub(crate) fn take(&mut self) -> Result<Vec<RecordBatch>> {
        let mut batches = Vec::new();
        for at in 0..self.parts.len() {
            let (Some(part), Some(layout)) = (self.parts[at].take(), self.layouts.get(at)) else {
                continue;
            };
            let rows = part.places.groups.len();
            let (keys, lanes) = (part.keys.finish()?, part.rows.finish()?);
            let column = |column: &Column| -> Result<ArrayRef> {
                let data_type = column.field.data_type();
                match column.of {
                    Of::Layout => Ok(Arc::new(Int32Array::from(vec![layout.id as i32; rows]))),
                    Of::Touched | Of::Rows | Of::Call(..) => match lane_of(layout, column.of) {
                        Some(lane) => {
                            decode(lanes.get(lane).cloned().ok_or_else(damaged)?, data_type)
                        }
                        None => Ok(new_null_array(data_type, rows)),
                    },
                    _ => key_column(column, &part.places, &keys),
                }
            };
            let columns = self.columns.iter().map(column).collect::<Result<_>>()?;
            batches.push(batch(&self.schema, columns, rows)?);
        }
        Ok(batches)
    }
}

/// Where rows of a layout have what a column says, if they do.
fn lane_of(layout: &Layout, of: Of) -> Option<usize> {
    let stamped = layout.stamped_since_ms.is_some();
    let (stamp, count) = (usize::from(stamped), usize::from(layout.updating));
    match of {
        Of::Touched => stamped.then_some(0),
        Of::Rows => layout.updating.then_some(stamp),
        Of::Call(slot, column) => {
            let at = layout.calls.iter().position(|call| call.slot == slot)?;
            let (before, rest) = layout.calls.split_at(at);
            let before: usize = before.iter().map(|call| call.columns.len()).sum();
            let is_there = rest.first().is_some_and(|c| column < c.columns.len());
            is_there.then_some(stamp + count + before + column)
        }
        _ => None,
    }
}

/// Reads entries of a distinct set.
pub(crate) struct SetDecoder {
    stored: StoredRows,
    /// The set's position in the last layout.
    set: usize,
    /// How many calls it feeds.
    users: usize,
    updating: bool,
    /// Those of the key and of the value.
    codecs: Vec<Codec>,
    columns: Vec<Column>,
    schema: SchemaRef,
    places: Places,
    keys: RowsDecoder,
    /// Bits, entry by entry, or counts, entry by entry and call by call.
    bits: Vec<u64>,
    counts: Vec<i64>,
}

impl SetDecoder {
    pub(crate) fn new(layouts: &[Layout], columns: Vec<Column>, set: usize) -> Result<Self> {
        let found = layouts
            .last()
            .and_then(|own| Some((own, own.sets.get(set)?)));
        let Some((own, stored)) = found else {
            return Err(EngineError::internal("an aggregation without this set"));
        };
        let keys = own.keys.iter().map(|k| &k.data_type.0);
        let codecs = codecs(keys.chain([&stored.data_type.0]))?;
        Ok(SetDecoder {
            stored: StoredRows::of_layouts(layouts)?,
            set,
            users: stored.calls.len(),
            updating: own.updating,
            schema: schema_of(&columns),
            columns,
            places: Places::default(),
            keys: RowsDecoder::new(&codecs),
            codecs,
            bits: Vec::new(),
            counts: Vec::new(),
        })
    }

    pub(crate) fn push(&mut self, entry: &Stored<'_>) -> Result<()> {
        match self.updating {
            true => {
                let counts = &mut self.counts;
                self.stored.counts(self.set, entry.row, counts)?;
            }
            false => self.bits.push(self.stored.bits(self.set, entry.row)?),
        }
        self.places.push(entry);
        self.keys.push_all(entry.key)
    }

    fn member(&self, at: usize) -> ArrayRef {
        if self.updating {
            let counts = self.counts.chunks(self.users.max(1));
            let counts = counts.map(|counts| counts.get(at).copied().unwrap_or(0));
            return Arc::new(Int64Array::from_iter_values(counts));
        }
        let bits = self.bits.iter();
        let bits: Vec<bool> = bits.map(|bits| bits >> at & 1 == 1).collect();
        Arc::new(BooleanArray::from(bits))
    }

    /// What was read since the last call.
    pub(crate) fn take(&mut self) -> Result<Vec<RecordBatch>> {
        let rows = self.places.groups.len();
        if rows == 0 {
            return Ok(Vec::new());
        }
        let fresh = RowsDecoder::new(&self.codecs);
        let keys = std::mem::replace(&mut self.keys, fresh).finish()?;
        let column = |column: &Column| match column.of {
            Of::Member(at) => Ok(self.member(at)),
            _ => key_column(column, &self.places, &keys),
        };
        let columns = self.columns.iter().map(column).collect::<Result<_>>()?;
        self.places = Places::default();
        self.bits.clear();
        self.counts.clear();
        Ok(vec![batch(&self.schema, columns, rows)?])
    }
}
