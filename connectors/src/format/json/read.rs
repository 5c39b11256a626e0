//! From JSON text into columns: one walk over each object.

use arrow::datatypes::Field;

use super::cursor::{Cursor, Quoted, quick_integer, quick_string};
use super::escape::unescape;
use super::value;
use crate::format::column::{Child, Column, Found, Keys, List, Map, Record, Struct};
use crate::format::fault::Fault;

/// How strictly rows are read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Strictness {
    /// A value that does not suit its column is NULL.
    pub ignore_parse_errors: bool,
    /// A column that the row lacks is an error.
    pub fail_on_missing_field: bool,
}

/// Reads rows at a cursor.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    pub cursor: Cursor<'a>,
    pub strictness: Strictness,
}

type Result<T> = std::result::Result<T, Fault>;

/// What comes next in an object.
enum Key {
    /// The value of a column, by its place.
    Column(usize),
    /// A value that no column wants.
    Unknown,
    /// Nothing more.
    End,
}

/// Where the value at `at` ends, if it is a string without escapes or a short integer.
#[inline(always)]
fn quick_skip(bytes: &[u8], at: usize) -> Option<usize> {
    quick_string(bytes, at).or_else(|| quick_integer(bytes, at).map(|(end, _)| end))
}

/// What predicts the inside of the value at `at`, number `step`, if it is an object.
fn inside<'a>(keys: &'a mut Keys, step: usize, bytes: &[u8], at: usize) -> Option<&'a mut Keys> {
    if bytes.get(at) == Some(&b'{') {
        keys.inside(step)
    } else {
        None
    }
}

impl Reader<'_> {
    /// Reads an object as one row of `record`. If it fails, parts of the row may stand in the
    /// columns; [`Record::truncate`] takes them back.
    pub(super) fn object(&mut self, record: &mut Record) -> Result<()> {
        let bytes = self.cursor.bytes;
        let (start, row) = (self.cursor.at, record.rows);
        // The place is kept in a register and written back only for those who need it.
        let mut at = start;
        let mut found = 0;
        let mut seen = 0u64;
        let mut step = 0;
        loop {
            let child = match record
                .keys
                .predict(step, bytes.get(at..).unwrap_or_default())
            {
                Some(Found { len, child }) => {
                    at += len;
                    child
                }
                None => {
                    self.cursor.at = at;
                    let key = self.next_key(&mut record.keys, step)?;
                    at = self.cursor.at;
                    match key {
                        Key::Column(child) => Some(child),
                        Key::Unknown => None,
                        Key::End => break,
                    }
                }
            };
            step += 1;
            if let Some(number) = child {
                let Some(child) = record.children.get_mut(number) else {
                    continue;
                };
                // Of several values with one key, the last counts.
                let first = match number {
                    0..64 => seen & (1 << number) == 0,
                    _ => child.column.len() == row,
                };
                if !first {
                    child.column.truncate(row);
                }
                seen |= 1u64.checked_shl(number as u32).unwrap_or(0);
                found += usize::from(first);
                at = match value::quick(bytes, at, &mut child.column) {
                    Some(end) => end,
                    None => self.child(child, row, at)?,
                };
            } else {
                at = match quick_skip(bytes, at) {
                    Some(end) => end,
                    None => self.skip(at, inside(&mut record.keys, step - 1, bytes, at), 0)?,
                };
            }
        }
        self.cursor.at = at;
        if found < record.children.len() {
            self.fill_missing(record, start)?;
        }
        record.rows += 1;
        Ok(())
    }

    /// Passes what stands between the end of a value (or the beginning of the object, if `step` is 0)
    /// and the next value: punctuation, the key, and blanks. The next record is expected to have the
    /// same there.
    #[inline(never)]
    fn next_key(&mut self, keys: &mut Keys, step: usize) -> Result<Key> {
        let start = self.cursor.at;
        if let Some(found) = keys.recall(step, self.cursor.bytes.get(start..).unwrap_or_default()) {
            self.cursor.at += found.len;
            return Ok(found.child.map_or(Key::Unknown, Key::Column));
        }
        if step == 0 {
            if !self.cursor.eat(b'{') {
                return Err(self.mismatch("an object"));
            }
            self.cursor.space();
            if self.cursor.eat(b'}') {
                return Ok(Key::End);
            }
        } else {
            self.cursor.space();
            if self.cursor.eat(b'}') {
                return Ok(Key::End);
            }
            if !self.cursor.eat(b',') {
                return Err(self.cursor.expected("',' or '}'"));
            }
            self.cursor.space();
        }
        if self.cursor.peek() != Some(b'"') {
            return Err(self.cursor.expected("a key in double quotes"));
        }
        let name = self.cursor.string()?;
        self.cursor.colon()?;
        let child = if name.escaped {
            let mut plain = Vec::new();
            unescape(name.raw, name.at, &mut plain)?;
            keys.find(&plain)
        } else {
            keys.find(name.raw)
        };
        keys.learn(step, self.cursor.since(start), child);
        Ok(child.map_or(Key::Unknown, Key::Column))
    }

    /// Passes the value at `at`, which no column wants, and returns where it ends. If it is an object,
    /// `keys` predict what stands in it. `depth`: how many objects around it are passed in this way.
    #[inline(never)]
    fn skip(&mut self, at: usize, keys: Option<&mut Keys>, depth: u32) -> Result<usize> {
        const DEEPEST: u32 = 2;
        self.cursor.at = at;
        self.cursor.space();
        match keys {
            Some(keys) if depth < DEEPEST && self.cursor.peek() == Some(b'{') => {
                self.skip_object(keys, depth)?;
            }
            _ => self.cursor.skip()?,
        }
        Ok(self.cursor.at)
    }

    fn skip_object(&mut self, keys: &mut Keys, depth: u32) -> Result<()> {
        let bytes = self.cursor.bytes;
        let mut at = self.cursor.at;
        let mut step = 0;
        loop {
            match keys.predict(step, bytes.get(at..).unwrap_or_default()) {
                Some(found) => at += found.len,
                None => {
                    self.cursor.at = at;
                    let end = matches!(self.next_key(keys, step)?, Key::End);
                    at = self.cursor.at;
                    if end {
                        return Ok(());
                    }
                }
            }
            at = match quick_skip(bytes, at) {
                Some(end) => end,
                None => self.skip(at, inside(keys, step, bytes, at), depth + 1)?,
            };
            step += 1;
        }
    }

    /// Reads the value at `at` into one of a record's columns, as row `row`, and returns where it
    /// ends.
    #[inline(never)]
    fn child(&mut self, child: &mut Child, row: usize, at: usize) -> Result<usize> {
        self.cursor.at = at;
        self.cursor.space();
        if let Err(fault) = self.value(&mut child.column, &child.field) {
            let lenient = self.strictness.ignore_parse_errors && child.field.is_nullable();
            if !(lenient && fault.is_value()) {
                return Err(fault.within(child.field.name()));
            }
            self.skip(at, None, 0)?;
            child.column.truncate(row);
            child.column.push_null();
        }
        Ok(self.cursor.at)
    }

    /// Makes NULL of the columns that the row starting at `start` does not have.
    fn fill_missing(&self, record: &mut Record, start: usize) -> Result<()> {
        for child in &mut record.children {
            if child.column.len() != record.rows {
                continue;
            }
            if self.strictness.fail_on_missing_field {
                return Err(Fault::value(start, "the field is missing").within(child.field.name()));
            }
            if !child.field.is_nullable() {
                let message = "the field is missing, and the column is NOT NULL";
                return Err(Fault::value(start, message).within(child.field.name()));
            }
            child.column.push_null();
        }
        Ok(())
    }

    /// Reads a value of any type.
    #[inline]
    fn value(&mut self, column: &mut Column, field: &Field) -> Result<()> {
        if self.cursor.peek() == Some(b'n') {
            return self.null(column, field);
        }
        match column {
            Column::Int64(values) => values.push(value::any_integer(&mut self.cursor, "BIGINT")?),
            Column::Utf8(values) => value::text(&mut self.cursor, values)?,
            Column::Timestamp(values) => value::timestamp(&mut self.cursor, values)?,
            Column::Struct(values) => self.row(values)?,
            Column::List(values) => self.list(values)?,
            Column::Map(values) => self.map(values)?,
            other => value::scalar(&mut self.cursor, other)?,
        }
        Ok(())
    }

    fn null(&mut self, column: &mut Column, field: &Field) -> Result<()> {
        let start = self.cursor.at;
        self.cursor.literal("null")?;
        if !field.is_nullable() {
            return Err(Fault::value(start, "null in a column that is NOT NULL"));
        }
        column.push_null();
        Ok(())
    }

    fn row(&mut self, values: &mut Struct) -> Result<()> {
        self.object(&mut values.record)?;
        values.end_row();
        Ok(())
    }

    fn list(&mut self, list: &mut List) -> Result<()> {
        if !self.cursor.eat(b'[') {
            return Err(self.mismatch("an array"));
        }
        let start = self.cursor.at;
        self.cursor.space();
        if !self.cursor.eat(b']') {
            loop {
                self.value(&mut list.element, &list.field)?;
                self.cursor.space();
                if self.cursor.eat(b',') {
                    self.cursor.space();
                } else if self.cursor.eat(b']') {
                    break;
                } else {
                    return Err(self.cursor.expected("',' or ']'"));
                }
            }
        }
        if list.end_row() {
            Ok(())
        } else {
            Err(value::too_large(start))
        }
    }

    fn map(&mut self, map: &mut Map) -> Result<()> {
        let start = self.cursor.at;
        if !self.cursor.eat(b'{') {
            return Err(self.mismatch("an object"));
        }
        let mut entries = Vec::new();
        self.cursor.space();
        if !self.cursor.eat(b'}') {
            loop {
                let key = self.map_key()?;
                entries.push((key, self.cursor.at));
                self.cursor.skip()?;
                self.cursor.space();
                if self.cursor.eat(b',') {
                    self.cursor.space();
                } else if self.cursor.eat(b'}') {
                    break;
                } else {
                    return Err(self.cursor.expected("',' or '}'"));
                }
            }
        }
        let end = self.cursor.at;
        self.map_entries(map, entries)?;
        self.cursor.at = end;
        if map.end_row() {
            Ok(())
        } else {
            Err(value::too_large(start))
        }
    }

    fn map_key(&mut self) -> Result<Vec<u8>> {
        if self.cursor.peek() != Some(b'"') {
            return Err(self.cursor.expected("a key in double quotes"));
        }
        let Quoted { raw, escaped, at } = self.cursor.string()?;
        self.cursor.colon()?;
        let mut key = Vec::with_capacity(raw.len());
        if escaped {
            unescape(raw, at, &mut key)?;
        } else {
            key.extend_from_slice(raw);
        }
        Ok(key)
    }

    /// Reads the values of a map's entries, each a key and where its value begins. Of several with
    /// one key, the last counts, in the place of the first.
    fn map_entries(&mut self, map: &mut Map, entries: Vec<(Vec<u8>, usize)>) -> Result<()> {
        let mut places: Vec<usize> = Vec::with_capacity(entries.len());
        let mut seen = std::collections::HashMap::with_capacity(entries.len());
        for (key, place) in &entries {
            match seen.get(key) {
                Some(&number) => {
                    if let Some(known) = places.get_mut(number) {
                        *known = *place;
                    }
                }
                None => {
                    seen.insert(key, places.len());
                    places.push(*place);
                    if !map.keys.push(key) {
                        return Err(value::too_large(*place));
                    }
                }
            }
        }
        let field = map.value_field().cloned();
        for place in places {
            self.cursor.at = place;
            match &field {
                Some(field) => self.value(&mut map.values, field)?,
                None => map.values.push_null(),
            }
        }
        Ok(())
    }

    #[cold]
    fn mismatch(&self, what: &str) -> Fault {
        value::mismatch(&self.cursor, what)
    }
}
