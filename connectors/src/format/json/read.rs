//! From JSON text into columns: one walk over each object.

use arrow::datatypes::Field;

use super::cursor::{Cursor, Quoted};
use super::escape::unescape;
use super::value;
use crate::format::column::{Child, Column, Found, List, Map, Record, Struct};
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

impl Reader<'_> {
    /// Reads an object as one row of `record`. If it fails, parts of the row may stand in the
    /// columns; [`Record::truncate`] takes them back.
    pub(super) fn object(&mut self, record: &mut Record) -> Result<()> {
        let start = self.cursor.at;
        if !self.cursor.eat(b'{') {
            return Err(self.mismatch("an object"));
        }
        let mut found = 0;
        let mut step = 0;
        self.cursor.space();
        if !self.cursor.eat(b'}') {
            loop {
                match self.key(record, step)? {
                    None => self.cursor.skip()?,
                    Some(child) => {
                        let row = record.rows;
                        if let Some(child) = record.children.get_mut(child) {
                            found += usize::from(self.child(child, row)?);
                        }
                    }
                }
                step += 1;
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
        if found < record.children.len() {
            self.fill_missing(record, start)?;
        }
        record.rows += 1;
        Ok(())
    }

    /// Passes a key and its colon and returns the column that it names.
    #[inline(always)]
    fn key(&mut self, record: &mut Record, step: usize) -> Result<Option<usize>> {
        let rest = self.cursor.bytes.get(self.cursor.at..).unwrap_or_default();
        match record.keys.predict(step, rest) {
            Some(Found { len, child }) => {
                self.cursor.at += len;
                // The prediction covers the blanks that followed the colon the last time.
                self.cursor.space();
                Ok(child)
            }
            None => self.new_key(record, step),
        }
    }

    #[inline(never)]
    fn new_key(&mut self, record: &mut Record, step: usize) -> Result<Option<usize>> {
        let start = self.cursor.at;
        if self.cursor.peek() != Some(b'"') {
            return Err(self.cursor.expected("a key in double quotes"));
        }
        let name = self.cursor.string()?;
        self.cursor.colon()?;
        let child = if name.escaped {
            let mut plain = Vec::new();
            unescape(name.raw, name.at, &mut plain)?;
            record.keys.find(&plain)
        } else {
            record.keys.find(name.raw)
        };
        record.keys.learn(step, self.cursor.since(start), child);
        Ok(child)
    }

    /// Reads the value of one of a record's columns, in row `row`; `true` if it is the first value
    /// of the column in this row. Of several, the last counts.
    #[inline]
    fn child(&mut self, child: &mut Child, row: usize) -> Result<bool> {
        let first = child.column.len() == row;
        if !first {
            child.column.truncate(row);
        }
        let start = self.cursor.at;
        match self.value(&mut child.column, &child.field) {
            Ok(()) => Ok(first),
            Err(fault) => {
                let lenient = self.strictness.ignore_parse_errors && child.field.is_nullable();
                if !(lenient && fault.is_value()) {
                    return Err(fault.within(child.field.name()));
                }
                self.cursor.at = start;
                self.cursor.skip()?;
                child.column.truncate(row);
                child.column.push_null();
                Ok(first)
            }
        }
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
            Column::Int64(values) => values.push(value::integer(&mut self.cursor)?),
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
