//! The catalogs: what tables, views and functions there are.
//!
//! [`Catalog`] is a store of databases and of the [`Object`]s in them. The planner owns the trait,
//! because it is the one who asks; [`MemoryCatalog`] is the implementation that a process keeps for
//! itself. [`Catalogs`] is all that a session can name: its catalogs, its temporary objects and where
//! it is, and [`Lookup`] finds what a name in a statement means. [`Table`] knows what a connector, the
//! logical plan and SHOW CREATE TABLE each need of a table, and keeps the [`Declaration`] that it was
//! made from: LIKE and ALTER change that, and the table is made anew.
//!
//! [`Declaration`]: crate::parser::Declaration

mod alter;
mod catalogs;
mod create;
mod database;
mod ddl;
mod declare;
mod functions;
mod like;
mod lookup;
mod memory;
mod modules;
mod options;
mod place;
mod table;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use sqlparser::ast::ObjectName;

pub use alter::alter;
pub use catalogs::{CatalogEntry, Catalogs};
pub(crate) use create::may_create_view;
pub use create::{Before, create_table, create_view, drop_objects};
pub use database::{IN_MEMORY, define_catalog, define_database, use_place};
pub use ddl::{
    create_catalog_sql, create_materialized_view_sql, create_table_sql, create_view_sql,
};
pub use declare::Declaring;
pub use functions::{FunctionKey, SqlFunction, define_function};
pub(crate) use like::{columns_of_schema, of_query as declaration_of_query};
pub use lookup::Lookup;
pub use memory::MemoryCatalog;
pub use modules::MAX_MODULE_BYTES;
pub(crate) use options::option_error;
pub use options::with_options;
pub use place::{DEFAULT_CATALOG, DEFAULT_DATABASE, ObjectPath, Place};
pub use table::{Column, ColumnKind, Computed, Table, View, Watermark};

use crate::parser::ObjectKind;
use levada_language::error::{Location, PlanError};

/// A table or a view.
#[derive(Debug, Clone)]
pub enum Object {
    /// A table.
    Table(Arc<Table>),
    /// A view.
    View(Arc<View>),
}

impl Object {
    /// `table` or `view`, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Object::Table(table) if table.is_materialized_view() => "materialized view",
            Object::Table(_) => "table",
            Object::View(_) => "view",
        }
    }

    /// What DROP calls it.
    pub fn object_kind(&self) -> ObjectKind {
        match self {
            Object::Table(table) if table.is_materialized_view() => ObjectKind::MaterializedView,
            Object::Table(_) => ObjectKind::Table,
            Object::View(_) => ObjectKind::View,
        }
    }

    /// Whether it was created with TEMPORARY.
    pub fn is_temporary(&self) -> bool {
        match self {
            Object::Table(table) => table.temporary,
            Object::View(view) => view.temporary,
        }
    }
}

/// A database: what is known of it besides its tables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Database {
    /// COMMENT.
    pub comment: Option<String>,
    /// WITH.
    pub properties: BTreeMap<String, String>,
}

/// A store of databases, and of tables and views in them, by their exact names. Implementations are
/// shared by threads.
pub trait Catalog: Send + Sync + std::fmt::Debug {
    /// The names of all databases, sorted.
    fn databases(&self) -> Vec<String>;

    /// The database with exactly this name.
    fn database(&self, name: &str) -> Option<Database>;

    /// Stores a database, or what is known of it anew.
    ///
    /// # Errors
    /// The store cannot be written.
    fn put_database(&self, name: &str, database: Database) -> Result<(), PlanError>;

    /// Removes a database with all that is in it; false if there was none.
    ///
    /// # Errors
    /// The store cannot be written.
    fn remove_database(&self, name: &str) -> Result<bool, PlanError>;

    /// The names of all objects of a database, sorted.
    fn names(&self, database: &str) -> Vec<String>;

    /// The object of a database with exactly this name.
    fn get(&self, database: &str, name: &str) -> Option<Object>;

    /// Stores an object, replacing one of the same name.
    ///
    /// # Errors
    /// The store cannot be written, or has no such database.
    fn put(&self, database: &str, name: &str, object: Object) -> Result<(), PlanError>;

    /// Removes an object; false if there was none.
    ///
    /// # Errors
    /// The store cannot be written.
    fn remove(&self, database: &str, name: &str) -> Result<bool, PlanError>;

    /// The names of all functions of a database, sorted; they are in lower case.
    fn functions(&self, database: &str) -> Vec<String>;

    /// The function of a database with exactly this name.
    fn function(&self, database: &str, name: &str) -> Option<Arc<SqlFunction>>;

    /// Stores a function, replacing one of the same name.
    ///
    /// # Errors
    /// The store cannot be written, or has no such database.
    fn put_function(
        &self,
        database: &str,
        name: &str,
        function: Arc<SqlFunction>,
    ) -> Result<(), PlanError>;

    /// Removes a function; false if there was none.
    ///
    /// # Errors
    /// The store cannot be written.
    fn remove_function(&self, database: &str, name: &str) -> Result<bool, PlanError>;
}

/// Where a name stands in the SQL.
pub fn location_of(name: &ObjectName) -> Option<Location> {
    let ident = name.0.first().and_then(|part| part.as_ident())?;
    Location::of(ident.span)
}
