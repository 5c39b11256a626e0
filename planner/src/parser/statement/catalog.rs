//! Statements about what is in catalogs, about the session and its jobs.

use sqlparser::ast::{Ident, ObjectName};

use super::TableOption;
use levada_language::error::Location;

/// What DROP drops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectKind {
    /// A table.
    Table,
    /// A view.
    View,
    /// A materialized view.
    MaterializedView,
}

/// DROP TABLE, DROP VIEW or DROP MATERIALIZED VIEW.
#[derive(Debug, Clone, PartialEq)]
pub struct Drop {
    /// Table or view.
    pub kind: ObjectKind,
    /// Their names.
    pub names: Vec<ObjectName>,
    /// IF EXISTS.
    pub if_exists: bool,
    /// TEMPORARY.
    pub temporary: bool,
}

/// SHOW.
#[derive(Debug, Clone, PartialEq)]
pub enum Show {
    /// SHOW TABLES: tables and views.
    Tables(Listing),
    /// SHOW VIEWS.
    Views(Listing),
    /// SHOW JOBS.
    Jobs,
    /// SHOW FUNCTIONS.
    Functions(Option<NamePattern>),
    /// SHOW USER FUNCTIONS.
    UserFunctions(Option<NamePattern>),
    /// SHOW CREATE FUNCTION name.
    CreateFunction(ObjectName),
    /// SHOW CATALOGS.
    Catalogs(Option<NamePattern>),
    /// SHOW CURRENT CATALOG.
    CurrentCatalog,
    /// SHOW DATABASES.
    Databases(Listing),
    /// SHOW CURRENT DATABASE.
    CurrentDatabase,
    /// SHOW COLUMNS FROM name.
    Columns(ObjectName, Option<NamePattern>),
    /// SHOW CREATE TABLE name.
    CreateTable(ObjectName),
    /// SHOW CREATE VIEW name.
    CreateView(ObjectName),
    /// SHOW MATERIALIZED VIEWS.
    MaterializedViews(Option<NamePattern>),
    /// SHOW CREATE MATERIALIZED VIEW name.
    CreateMaterializedView(ObjectName),
    /// SHOW CREATE CATALOG name.
    CreateCatalog(Ident),
}

/// `[FROM | IN name] [[NOT] LIKE | ILIKE 'pattern']`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Listing {
    /// The database or catalog; without it, the current one.
    pub from: Option<ObjectName>,
    /// Which names.
    pub like: Option<NamePattern>,
}

/// `[NOT] LIKE | ILIKE 'pattern'`: `%` stands for any text, `_` for any character, and a
/// backslash takes their meaning away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamePattern {
    /// The pattern.
    pub pattern: String,
    /// NOT.
    pub negated: bool,
    /// ILIKE: letters fit in any case.
    pub any_case: bool,
}

impl NamePattern {
    /// Whether the name is one of those that are wanted.
    pub fn accepts(&self, name: &str) -> bool {
        let prepared = |text: &str| -> Vec<char> {
            match self.any_case {
                true => text.to_lowercase().chars().collect(),
                false => text.chars().collect(),
            }
        };
        fits(&prepared(&self.pattern), &prepared(name)) != self.negated
    }
}

/// Whether the whole of `text` fits the pattern. After a mismatch the last `%` takes one more.
fn fits(pattern: &[char], text: &[char]) -> bool {
    let (mut at, mut read) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    loop {
        let (step, same) = match (pattern.get(at), text.get(read)) {
            (None, None) => return true,
            (Some('%'), _) => {
                retry = Some((at + 1, read));
                at += 1;
                continue;
            }
            (Some('_'), Some(_)) => (1, true),
            (Some('\\'), Some(c)) if pattern.get(at + 1).is_some() => {
                (2, pattern.get(at + 1) == Some(c))
            }
            (wanted, found) => (1, found.is_some() && wanted == found),
        };
        if same {
            (at, read) = (at + step, read + 1);
            continue;
        }
        match retry {
            Some((behind, from)) if from < text.len() => {
                retry = Some((behind, from + 1));
                (at, read) = (behind, from + 1);
            }
            _ => return false,
        }
    }
}

/// DESCRIBE.
#[derive(Debug, Clone, PartialEq)]
pub enum Describe {
    /// DESCRIBE \[EXTENDED\] table.
    Table(ObjectName),
    /// DESCRIBE FUNCTION \[EXTENDED\] name.
    Function(ObjectName),
    /// DESCRIBE DATABASE \[EXTENDED\] name.
    Database {
        /// Its name.
        name: ObjectName,
        /// EXTENDED: with its properties.
        extended: bool,
    },
    /// DESCRIBE CATALOG \[EXTENDED\] name.
    Catalog {
        /// Its name.
        name: Ident,
        /// EXTENDED: with its options.
        extended: bool,
    },
    /// DESCRIBE JOB 'id', and where the id stands.
    Job(String, Location),
}

/// What is done to a database.
#[derive(Debug, Clone, PartialEq)]
pub enum DefineDatabase {
    /// CREATE DATABASE.
    Create {
        /// Its name.
        name: ObjectName,
        /// IF NOT EXISTS.
        if_not_exists: bool,
        /// COMMENT.
        comment: Option<String>,
        /// WITH.
        properties: Vec<TableOption>,
    },
    /// ALTER DATABASE … SET or RESET.
    Alter {
        /// Its name.
        name: ObjectName,
        /// What becomes another.
        change: PropertyChange,
    },
    /// DROP DATABASE.
    Drop {
        /// Its name.
        name: ObjectName,
        /// IF EXISTS.
        if_exists: bool,
        /// CASCADE: with the tables and views in it.
        cascade: bool,
    },
}

/// What is done to a catalog.
#[derive(Debug, Clone, PartialEq)]
pub enum DefineCatalog {
    /// CREATE CATALOG.
    Create {
        /// Its name.
        name: Ident,
        /// IF NOT EXISTS.
        if_not_exists: bool,
        /// COMMENT.
        comment: Option<String>,
        /// WITH.
        options: Vec<TableOption>,
    },
    /// ALTER CATALOG … SET, RESET or COMMENT.
    Alter {
        /// Its name.
        name: Ident,
        /// What becomes another.
        change: PropertyChange,
    },
    /// DROP CATALOG.
    Drop {
        /// Its name.
        name: Ident,
        /// IF EXISTS.
        if_exists: bool,
    },
}

/// What ALTER DATABASE and ALTER CATALOG do.
#[derive(Debug, Clone, PartialEq)]
pub enum PropertyChange {
    /// SET ('key' = 'value', …).
    Set(Vec<TableOption>),
    /// RESET ('key', …).
    Reset(Vec<(String, Location)>),
    /// COMMENT 'text'.
    Comment(String),
}

/// SET.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Set {
    /// SET alone: list what is set.
    List,
    /// SET 'key' = 'value'.
    Value {
        /// The key.
        key: String,
        /// The value.
        value: String,
        /// Where the key stands.
        location: Location,
    },
}

/// USE.
#[derive(Debug, Clone, PartialEq)]
pub enum Use {
    /// USE CATALOG name.
    Catalog(Ident),
    /// USE \[catalog.\]database.
    Database(ObjectName),
}
