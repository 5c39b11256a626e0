//! Keyed state as tables, for people.
//!
//! ```text
//!   layouts ──▶ StateTable: groups        key, what each call has accumulated
//!                           set           key, value, the calls that it counts for
//!                           watermarks    of window aggregations, by key group
//!   nothing ──▶ StateTable: entries       bytes, so that nothing is hidden
//! ```
//!
//! A table is read from the files of a checkpoint, some thousand rows at a time, by the code that
//! operators read them with.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryBuilder, Int32Builder, RecordBatch, TimestampMillisecondBuilder,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

use super::Layout;
use super::aggregate::inspect::{
    self as decoding, Column, GroupsDecoder, KeyForm, SetDecoder, Stored,
};
use super::aggregate::persist::GROUPS;
use super::watermarks::{WATERMARKS, stored_watermark};
use super::window_aggregate::{is_session, split_prefix};
use crate::error::{EngineError, Result};
use crate::key::KeyGroupRange;
use crate::state::merge::{Entries, Entry};
use crate::state::{Restored, TableId};

#[cfg(test)]
mod tests;

/// The name of operators that aggregate by window, which their keyed state does not say itself.
pub const WINDOW_AGGREGATE: &str = "WindowAggregate";

/// How many rows are decoded at a time.
const ROWS: usize = if cfg!(test) { 3 } else { 8192 };
/// After so many bytes of rows fewer are enough.
const BYTES: usize = 4 << 20;

/// What a table of keyed state holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contents {
    /// A row for each group: its key and what was accumulated.
    Groups,
    /// A row for each value of a distinct set, which these calls share.
    Set(Vec<String>),
    /// A row for each key group: the watermark up to which windows have fired.
    Watermarks,
    /// A row for each entry, as bytes.
    Entries,
}

/// Keyed state of an operator as a table.
#[derive(Debug, Clone)]
pub struct StateTable {
    contents: Contents,
    schema: SchemaRef,
    columns: Vec<Column>,
    layouts: Arc<[Layout]>,
    form: KeyForm,
    /// The table of keyed state; `None` for all.
    id: Option<TableId>,
    /// The set's position in the last layout.
    set: usize,
}

/// A text as a name that SQL takes without quotes.
pub fn identifier(text: &str) -> String {
    decoding::identifier(text)
}

/// The name, with a number behind it if it is `taken` in whatever case; it is taken then.
pub fn unique(taken: &mut std::collections::BTreeSet<String>, name: &str) -> String {
    decoding::unique(taken, name)
}

/// The tables that the keyed state of an operator makes, by the operator's name and the layouts that its
/// rows may have. The last one has all entries as bytes; it is the only one where rows name no layout.
pub fn tables(operator: &str, layouts: &[Layout]) -> Vec<StateTable> {
    let is_window = operator == WINDOW_AGGREGATE;
    let mut tables = Vec::new();
    if let Some(own) = layouts.last() {
        let form = match (is_session(own), is_window) {
            (true, _) => KeyForm::Sessions,
            (_, true) => KeyForm::Slices,
            _ => KeyForm::Groups,
        };
        let shared: Arc<[Layout]> = layouts.into();
        let table = |contents, columns: Vec<Column>, id, set| StateTable {
            contents,
            schema: decoding::schema_of(&columns),
            columns,
            layouts: Arc::clone(&shared),
            form,
            id: Some(id),
            set,
        };
        let columns = decoding::group_columns(layouts, form);
        tables.push(table(Contents::Groups, columns, GROUPS, 0));
        for (at, set) in own.sets.iter().enumerate() {
            let calls = own.calls.iter().filter(|c| set.calls.contains(&c.slot));
            let calls = Contents::Set(calls.map(|call| call.name.clone()).collect());
            let columns = decoding::set_columns(layouts, form, at);
            tables.push(table(calls, columns, TableId(set.table), at));
        }
    }
    if is_window {
        let watermark = DataType::Timestamp(TimeUnit::Millisecond, None);
        let fields = [("key_group", DataType::Int32), ("watermark", watermark)];
        tables.push(plain(Contents::Watermarks, &fields, Some(WATERMARKS)));
    }
    let fields = [
        ("key_group", DataType::Int32),
        ("table_id", DataType::Int32),
        ("key", DataType::Binary),
        ("value", DataType::Binary),
    ];
    tables.push(plain(Contents::Entries, &fields, None));
    tables
}

/// A table whose rows have no layout.
fn plain(contents: Contents, fields: &[(&str, DataType)], id: Option<TableId>) -> StateTable {
    let field = |(name, data_type): &(&str, DataType)| Field::new(*name, data_type.clone(), false);
    let fields: Vec<Field> = fields.iter().map(field).collect();
    StateTable {
        contents,
        schema: Arc::new(Schema::new(fields)),
        columns: Vec::new(),
        layouts: Arc::new([]),
        form: KeyForm::Groups,
        id,
        set: 0,
    }
}

impl StateTable {
    /// What it holds.
    pub fn contents(&self) -> &Contents {
        &self.contents
    }

    /// Its columns.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Where a column of the key is among its columns.
    pub fn key_column(&self, key: usize) -> Option<usize> {
        self.columns.iter().position(|column| column.is_key(key))
    }

    /// Reads the rows of some key groups with these of its columns, in order of table, key group and key
    /// as far as rows have the same layout. Ends early when the visitor returns false.
    ///
    /// # Errors
    /// A file is damaged, or rows are not what the layouts say.
    pub fn read(
        &self,
        state: &Restored,
        key_groups: KeyGroupRange,
        columns: &[usize],
        visit: &mut dyn FnMut(RecordBatch) -> Result<bool>,
    ) -> Result<()> {
        let mut decoder = self.decoder(columns)?;
        let mut entries = state.entries(key_groups, self.id);
        let (mut rows, mut bytes) = (0, 0);
        loop {
            let more = entries.advance()?;
            if more {
                let entry = entries.entry();
                decoder.push(entry)?;
                rows += 1;
                bytes += entry.key.len() + entry.value.map_or(0, <[u8]>::len);
            }
            if !more || rows >= ROWS || bytes >= BYTES {
                (rows, bytes) = (0, 0);
                for batch in decoder.take()? {
                    if !visit(batch)? {
                        return Ok(());
                    }
                }
            }
            if !more {
                return Ok(());
            }
        }
    }

    fn decoder(&self, columns: &[usize]) -> Result<Box<dyn Decoder>> {
        let schema = Arc::new(self.schema.project(columns)?);
        let chosen = columns.iter().filter_map(|at| self.columns.get(*at));
        let chosen: Vec<Column> = chosen.cloned().collect();
        let sliced = self.form == KeyForm::Slices;
        Ok(match &self.contents {
            Contents::Groups => Box::new(Groups {
                sliced,
                decoder: GroupsDecoder::new(Arc::clone(&self.layouts), chosen)?,
            }),
            Contents::Set(_) => Box::new(Set {
                sliced,
                decoder: SetDecoder::new(&self.layouts, chosen, self.set)?,
            }),
            Contents::Watermarks | Contents::Entries => Box::new(Plain {
                schema,
                columns: columns.to_vec(),
                has_watermarks: self.contents == Contents::Watermarks,
                groups: Int32Builder::new(),
                ids: Int32Builder::new(),
                watermarks: TimestampMillisecondBuilder::new(),
                keys: BinaryBuilder::new(),
                values: BinaryBuilder::new(),
                rows: 0,
            }),
        })
    }
}

/// Turns entries into rows.
trait Decoder {
    fn push(&mut self, entry: Entry<'_>) -> Result<()>;

    /// What was read since the last call.
    fn take(&mut self) -> Result<Vec<RecordBatch>>;
}

/// An entry by the parts of its key.
fn stored(entry: Entry<'_>, sliced: bool) -> Result<Stored<'_>> {
    let (slice, key) = match sliced {
        true => split_prefix(entry.key)?,
        false => (0, entry.key),
    };
    Ok(Stored {
        group: entry.place.1,
        slice,
        key,
        row: entry.value.unwrap_or_default(),
    })
}

struct Groups {
    sliced: bool,
    decoder: GroupsDecoder,
}

impl Decoder for Groups {
    fn push(&mut self, entry: Entry<'_>) -> Result<()> {
        self.decoder.push(&stored(entry, self.sliced)?)
    }

    fn take(&mut self) -> Result<Vec<RecordBatch>> {
        self.decoder.take()
    }
}

struct Set {
    sliced: bool,
    decoder: SetDecoder,
}

impl Decoder for Set {
    fn push(&mut self, entry: Entry<'_>) -> Result<()> {
        self.decoder.push(&stored(entry, self.sliced)?)
    }

    fn take(&mut self) -> Result<Vec<RecordBatch>> {
        self.decoder.take()
    }
}

/// Entries without a layout.
struct Plain {
    schema: SchemaRef,
    columns: Vec<usize>,
    /// Whether values are watermarks, or anything.
    has_watermarks: bool,
    groups: Int32Builder,
    ids: Int32Builder,
    watermarks: TimestampMillisecondBuilder,
    keys: BinaryBuilder,
    values: BinaryBuilder,
    rows: usize,
}

impl Decoder for Plain {
    fn push(&mut self, entry: Entry<'_>) -> Result<()> {
        let (table, group) = entry.place;
        let value = entry.value.unwrap_or_default();
        self.rows += 1;
        self.groups.append_value(i32::from(group));
        if self.has_watermarks {
            self.watermarks.append_value(stored_watermark(value)?);
            return Ok(());
        }
        self.ids.append_value(i32::from(table.0));
        self.keys.append_value(entry.key);
        self.values.append_value(value);
        Ok(())
    }

    fn take(&mut self) -> Result<Vec<RecordBatch>> {
        let rows = std::mem::take(&mut self.rows);
        let groups: ArrayRef = Arc::new(self.groups.finish());
        let all: Vec<ArrayRef> = match self.has_watermarks {
            true => vec![groups, Arc::new(self.watermarks.finish())],
            false => vec![
                groups,
                Arc::new(self.ids.finish()),
                Arc::new(self.keys.finish()),
                Arc::new(self.values.finish()),
            ],
        };
        if rows == 0 {
            return Ok(Vec::new());
        }
        let column = |at: &usize| {
            let column = all.get(*at).cloned();
            column.ok_or_else(|| EngineError::internal("a table of state without this column"))
        };
        let columns = self.columns.iter().map(column).collect::<Result<_>>()?;
        Ok(vec![decoding::batch(&self.schema, columns, rows)?])
    }
}
