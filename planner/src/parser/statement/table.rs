//! CREATE TABLE and ALTER TABLE.

use sqlparser::ast::{Ident, ObjectName};
use sqlparser::tokenizer::Span;

use super::{Expression, Query};
use levada_language::error::Location;
use levada_language::types::Nullable;

/// What CREATE may say about an object that exists already, and about how long it lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CreateMode {
    /// OR REPLACE.
    pub or_replace: bool,
    /// IF NOT EXISTS.
    pub if_not_exists: bool,
    /// TEMPORARY: for this session only.
    pub temporary: bool,
}

/// CREATE TABLE.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateTable {
    /// The table's name.
    pub name: ObjectName,
    /// OR REPLACE, IF NOT EXISTS, TEMPORARY.
    pub mode: CreateMode,
    /// What the statement itself declares.
    pub declaration: Declaration,
    /// Where the rest comes from.
    pub basis: Basis,
}

/// What a table is declared to be. [`Declaration::check`] says whether it fits together.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Declaration {
    /// The columns, in their order.
    pub columns: Vec<Column>,
    /// WATERMARK FOR.
    pub watermark: Option<Watermark>,
    /// PRIMARY KEY.
    pub primary_key: Option<PrimaryKey>,
    /// The table's comment.
    pub comment: Option<String>,
    /// PARTITIONED BY.
    pub partitioned_by: Vec<Ident>,
    /// WITH; no key appears twice.
    pub options: Vec<TableOption>,
}

/// What CREATE TABLE starts from.
#[derive(Debug, Clone, PartialEq)]
pub enum Basis {
    /// Nothing but the declaration.
    Nothing,
    /// LIKE: another table.
    Like(Like),
    /// AS: a query, which is also what the table is filled with.
    Query {
        /// The query.
        query: Box<Query>,
        /// The order of its columns in the table, if given: names without types.
        order: Vec<Ident>,
    },
}

/// `LIKE table (…)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Like {
    /// The table to take from.
    pub table: ObjectName,
    /// What to take, in the order of the statement.
    pub choices: Vec<LikeChoice>,
}

/// `INCLUDING | EXCLUDING | OVERWRITING feature`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LikeChoice {
    /// How.
    pub merging: Merging,
    /// What.
    pub feature: Feature,
    /// Where the choice stands.
    pub location: Location,
}

/// How a part of the other table comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merging {
    /// It comes in, and what the statement declares must not be there already.
    Including,
    /// It stays behind.
    Excluding,
    /// It comes in, but for what the statement declares anew.
    Overwriting,
}

/// What LIKE can take from another table, besides its physical columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feature {
    /// All of the others.
    All,
    /// The primary key.
    Constraints,
    /// PARTITIONED BY.
    Partitions,
    /// Computed columns.
    Generated,
    /// Metadata columns.
    Metadata,
    /// Options.
    Options,
    /// The watermark.
    Watermarks,
}

/// ALTER TABLE or ALTER VIEW.
#[derive(Debug, Clone, PartialEq)]
pub enum Alter {
    /// ALTER TABLE.
    Table {
        /// Its name.
        name: ObjectName,
        /// IF EXISTS.
        if_exists: bool,
        /// What becomes another.
        change: TableChange,
    },
    /// ALTER VIEW.
    View {
        /// Its name.
        name: ObjectName,
        /// IF EXISTS.
        if_exists: bool,
        /// What becomes another.
        change: ViewChange,
    },
}

/// What ALTER TABLE does.
#[derive(Debug, Clone, PartialEq)]
pub enum TableChange {
    /// RENAME TO name.
    Rename(ObjectName),
    /// RENAME column TO column.
    RenameColumn {
        /// The column.
        from: Ident,
        /// Its new name.
        to: Ident,
    },
    /// ADD: columns, the watermark, the primary key.
    Add(Vec<Element>),
    /// MODIFY of what is there.
    Modify(Vec<Element>),
    /// DROP of columns.
    DropColumns(Vec<Ident>),
    /// DROP PRIMARY KEY, or DROP CONSTRAINT name; with where it stands.
    DropPrimaryKey(Option<Ident>, Location),
    /// DROP WATERMARK; with where it stands.
    DropWatermark(Location),
    /// SET of options.
    Set(Vec<TableOption>),
    /// RESET of options by key.
    Reset(Vec<(String, Location)>),
}

/// What ALTER VIEW does.
#[derive(Debug, Clone, PartialEq)]
pub enum ViewChange {
    /// RENAME TO name.
    Rename(ObjectName),
    /// AS query.
    Query(Box<Query>),
}

/// A part of ADD and MODIFY.
#[derive(Debug, Clone, PartialEq)]
pub enum Element {
    /// A column, and where it shall stand.
    Column(Box<Column>, Option<ColumnPlace>),
    /// WATERMARK FOR.
    Watermark(Watermark),
    /// PRIMARY KEY.
    PrimaryKey(PrimaryKey),
}

/// Where a column shall stand.
#[derive(Debug, Clone, PartialEq)]
pub enum ColumnPlace {
    /// FIRST.
    First,
    /// AFTER another.
    After(Ident),
}

/// A column of CREATE TABLE.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// The column's name.
    pub name: Ident,
    /// Where its values come from.
    pub kind: ColumnKind,
    /// The column's comment.
    pub comment: Option<String>,
}

/// Where a column's values come from.
#[derive(Debug, Clone, PartialEq)]
pub enum ColumnKind {
    /// From the rows themselves.
    Physical(Nullable),
    /// `name AS expression` over other columns.
    Computed(Expression),
    /// `name type METADATA [FROM 'key'] [VIRTUAL]`: from the connector or the format.
    Metadata {
        /// The column's type.
        data_type: Nullable,
        /// FROM 'key'; without it the key is the column's name.
        key: Option<String>,
        /// VIRTUAL: read, never written.
        is_virtual: bool,
    },
}

/// `WATERMARK FOR column AS expression`.
#[derive(Debug, Clone, PartialEq)]
pub struct Watermark {
    /// The event-time column.
    pub column: Ident,
    /// The watermark of a row.
    pub expression: Expression,
    /// Where the clause begins; `None` if it is of an earlier statement.
    pub location: Option<Location>,
}

/// `[CONSTRAINT name] PRIMARY KEY (columns) NOT ENFORCED`.
#[derive(Debug, Clone, PartialEq)]
pub struct PrimaryKey {
    /// The constraint's name.
    pub name: Option<Ident>,
    /// The key's columns.
    pub columns: Vec<Ident>,
    /// Where the clause begins; `None` if it is of an earlier statement.
    pub location: Option<Location>,
}

/// `'key' = 'value'`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableOption {
    /// The key.
    pub key: String,
    /// The value.
    pub value: String,
    /// Where the key stands; `None` if it is of an earlier statement.
    pub key_location: Option<Location>,
    /// Where the value stands; `None` if it is of an earlier statement.
    pub value_location: Option<Location>,
}

impl Declaration {
    /// The column with exactly this name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name.value == name)
    }

    /// The same without positions, to be kept beyond the statement.
    #[must_use]
    pub fn without_positions(mut self) -> Self {
        for column in &mut self.columns {
            column.name.span = Span::empty();
            if let ColumnKind::Computed(expression) = &mut column.kind {
                expression.location = None;
            }
        }
        if let Some(watermark) = &mut self.watermark {
            watermark.column.span = Span::empty();
            watermark.location = None;
            watermark.expression.location = None;
        }
        if let Some(key) = &mut self.primary_key {
            key.location = None;
            for column in &mut key.columns {
                column.span = Span::empty();
            }
        }
        for column in &mut self.partitioned_by {
            column.span = Span::empty();
        }
        for option in &mut self.options {
            option.key_location = None;
            option.value_location = None;
        }
        self
    }
}
