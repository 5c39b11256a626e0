//! Columns that are folders: `day=2024-01-31/hour=10/`.

use std::collections::HashMap;
use std::fmt::Write;

use arrow::array::{Array, ArrayRef, RecordBatch, StringArray, UInt32Array};
use arrow::compute::{CastOptions, cast_with_options, take};
use arrow::datatypes::{DataType, Field};
use arrow::util::display::FormatOptions;

use levada_engine::{EngineError, Result};

/// The value of column `field` that stands in the folders of `path`, as an array of length 1.
pub(super) fn value_in_path(path: &str, field: &Field, default_name: &str) -> Result<ArrayRef> {
    let folders = path.rsplit('/').skip(1);
    let text = folders
        .filter_map(|folder| folder.split_once('='))
        .find(|(name, _)| unescape(name).as_deref() == Some(field.name()))
        .map(|(_, value)| value)
        .ok_or_else(|| {
            EngineError::data(format!(
                "the file '{path}' is in no folder '{}=…', though the table is partitioned by that column",
                field.name()
            ))
        })?;
    let text = match text == default_name {
        true => None,
        false => Some(unescape(text).ok_or_else(|| invalid(path, field, text))?),
    };
    let array = StringArray::from(vec![text.as_deref()]);
    let strict = CastOptions {
        safe: false,
        format_options: FormatOptions::default(),
    };
    cast_with_options(&array, field.data_type(), &strict)
        .map_err(|_| invalid(path, field, text.as_deref().unwrap_or_default()))
}

fn invalid(path: &str, field: &Field, text: &str) -> EngineError {
    EngineError::data(format!(
        "the folder '{}={text}' of the file '{path}' is no value of the type {}",
        field.name(),
        field.data_type()
    ))
}

/// The rows of one folder.
#[derive(Debug)]
pub(super) struct Slice {
    /// The folder relative to the table's path, such as `day=2024-01-31/hour=10`.
    pub folder: String,
    /// The columns that go into the file.
    pub rows: RecordBatch,
}

/// Distributes the rows of batches over folders.
#[derive(Debug)]
pub(super) struct Splitter {
    /// Positions and names of the columns that are folders.
    folders: Vec<(usize, String)>,
    /// Positions of the columns that go into the files.
    files: Vec<usize>,
    default_name: String,
}

impl Splitter {
    /// For batches of `fields`; fails if a column is missing.
    pub(super) fn new(
        fields: &arrow::datatypes::Fields,
        partitioned_by: &[String],
        default_name: &str,
    ) -> Result<Self> {
        let mut folders = Vec::new();
        for name in partitioned_by {
            let (index, field) = fields.find(name).ok_or_else(|| {
                EngineError::config(format!("the rows have no column '{name}' (PARTITIONED BY)"))
            })?;
            if field.data_type().is_nested() || *field.data_type() == DataType::Binary {
                return Err(EngineError::config(format!(
                    "the column '{name}' of type {} cannot be a folder (PARTITIONED BY)",
                    field.data_type()
                )));
            }
            folders.push((index, name.clone()));
        }
        let files = (0..fields.len())
            .filter(|i| !folders.iter().any(|(f, _)| f == i))
            .collect();
        Ok(Self {
            folders,
            files,
            default_name: default_name.to_string(),
        })
    }

    /// Positions of the columns that go into the files.
    pub(super) fn file_columns(&self) -> &[usize] {
        &self.files
    }

    /// The rows of each folder, in their order.
    pub(super) fn split(&self, rows: &RecordBatch) -> Result<Vec<Slice>> {
        let content = rows.project(&self.files).map_err(internal)?;
        if self.folders.is_empty() {
            return Ok(vec![Slice {
                folder: String::new(),
                rows: content,
            }]);
        }
        let texts = self.texts(rows)?;
        let mut groups: Vec<(String, Vec<u32>)> = Vec::new();
        let mut by_name: HashMap<String, usize> = HashMap::new();
        let mut folder = String::new();
        let mut current = 0;
        for row in 0..rows.num_rows() {
            folder.clear();
            self.write_folder(&mut folder, &texts, row);
            // Rows of one folder usually come together.
            if groups.get(current).is_none_or(|(name, _)| *name != folder) {
                current = match by_name.get(&folder) {
                    Some(known) => *known,
                    None => {
                        by_name.insert(folder.clone(), groups.len());
                        groups.push((folder.clone(), Vec::new()));
                        groups.len() - 1
                    }
                };
            }
            if let Some((_, members)) = groups.get_mut(current) {
                members.push(u32::try_from(row).map_err(|_| too_many_rows())?);
            }
        }
        groups
            .into_iter()
            .map(|(folder, members)| slice(folder, &content, members))
            .collect()
    }

    fn texts(&self, rows: &RecordBatch) -> Result<Vec<StringArray>> {
        let text = |(index, name): &(usize, String)| {
            let column = rows.column(*index);
            let text = cast_with_options(column, &DataType::Utf8, &CastOptions::default());
            let text = text.map_err(|e| EngineError::data(format!("column '{name}': {e}")))?;
            Ok(StringArray::from(text.to_data()))
        };
        self.folders.iter().map(text).collect()
    }

    fn write_folder(&self, out: &mut String, texts: &[StringArray], row: usize) {
        for ((_, name), text) in self.folders.iter().zip(texts) {
            if !out.is_empty() {
                out.push('/');
            }
            escape(out, name);
            out.push('=');
            match text.is_null(row) || text.value(row).is_empty() {
                true => out.push_str(&self.default_name),
                false => escape(out, text.value(row)),
            }
        }
    }
}

fn slice(folder: String, content: &RecordBatch, members: Vec<u32>) -> Result<Slice> {
    if members.len() == content.num_rows() {
        return Ok(Slice {
            folder,
            rows: content.clone(),
        });
    }
    let members = UInt32Array::from(members);
    let columns = content.columns().iter();
    let columns: Result<Vec<_>, _> = columns.map(|c| take(c, &members, None)).collect();
    let rows = RecordBatch::try_new(content.schema(), columns.map_err(internal)?);
    Ok(Slice {
        folder,
        rows: rows.map_err(internal)?,
    })
}

fn too_many_rows() -> EngineError {
    EngineError::internal("a batch has more than 2^32 rows")
}

fn internal(error: arrow::error::ArrowError) -> EngineError {
    EngineError::data(format!("the rows cannot be put into folders: {error}"))
}

/// Characters that a folder's name cannot or should not contain become `%` and two digits.
fn escape(out: &mut String, text: &str) {
    for character in text.chars() {
        let special = character.is_ascii_control()
            || matches!(
                character,
                '"' | '#' | '%' | '\'' | '*' | '/' | ':' | '=' | '?' | '\\' | '{' | '[' | ']' | '^'
            );
        match special {
            // Writing to memory does not fail.
            true => drop(write!(out, "%{:02X}", u32::from(character))),
            false => out.push(character),
        }
    }
}

fn unescape(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_string());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let code = match (first, tail) {
            (b'%', [a, b, ..]) => hex(*a).zip(hex(*b)),
            _ => None,
        };
        match (code, tail) {
            (Some((high, low)), [_, _, after @ ..]) => {
                bytes.push(high * 16 + low);
                rest = after;
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|d| u8::try_from(d).ok())
}
