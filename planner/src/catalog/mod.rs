//! The catalog: what tables and views there are.
//!
//! [`Catalog`] is a store of [`Object`]s by name. The planner owns the trait, because it is the
//! one who asks; [`MemoryCatalog`] is the implementation that a process keeps for itself.
//! [`resolve`] applies the rule for the case of names, and [`Table`] knows what a connector, the
//! logical plan and SHOW CREATE TABLE each need of a table.

mod create;
mod ddl;
mod memory;
mod table;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use sqlparser::ast::ObjectName;

pub(crate) use create::option_error;
pub use create::{create_table, create_view, drop_object, with_options};
pub use ddl::{create_table_sql, create_view_sql};
pub use memory::MemoryCatalog;
pub use table::{Column, ColumnKind, Computed, Table, View, Watermark};

use crate::parser::names;
use levada_language::error::{Location, PlanError, PlanErrorKind};

/// The one catalog there is.
pub const DEFAULT_CATALOG: &str = "default_catalog";
/// The one database there is.
pub const DEFAULT_DATABASE: &str = "default_database";

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
            Object::Table(_) => "table",
            Object::View(_) => "view",
        }
    }
}

/// A store of tables and views by their exact names. Implementations are shared by threads.
pub trait Catalog: Send + Sync + std::fmt::Debug {
    /// The object with exactly this name.
    fn get(&self, name: &str) -> Option<Object>;

    /// All names, sorted.
    fn names(&self) -> Vec<String>;

    /// Stores an object, replacing one of the same name.
    ///
    /// # Errors
    /// The store cannot be written.
    fn put(&self, name: &str, object: Object) -> Result<(), PlanError>;

    /// Removes an object; false if there was none.
    ///
    /// # Errors
    /// The store cannot be written.
    fn remove(&self, name: &str) -> Result<bool, PlanError>;
}

/// Finds an object: exactly, else by the only name that differs in case alone.
pub fn resolve(catalog: &dyn Catalog, name: &str) -> Option<(String, Object)> {
    if let Some(object) = catalog.get(name) {
        return Some((name.to_string(), object));
    }
    let all = catalog.names();
    let found = names::resolve(name, all.iter().map(String::as_str))?;
    catalog.get(found).map(|object| (found.to_string(), object))
}

/// Finds an object by a name from a statement.
///
/// # Errors
/// There is none, or the name has the wrong parts; with the name's position.
pub fn find(catalog: &dyn Catalog, name: &ObjectName) -> Result<(String, Object), PlanError> {
    let wanted = local_name(name)?;
    resolve(catalog, &wanted).ok_or_else(|| unknown_table(catalog, &wanted, location_of(name)))
}

/// Finds a table by a name from a statement.
///
/// # Errors
/// There is none, or it is a view; with the name's position.
pub fn find_table(catalog: &dyn Catalog, name: &ObjectName) -> Result<Arc<Table>, PlanError> {
    match find(catalog, name)? {
        (_, Object::Table(table)) => Ok(table),
        (found, Object::View(_)) => Err(PlanError::new(
            PlanErrorKind::InvalidStatement,
            format!("{found} is a view, and a table is needed here"),
        )
        .at(location_of(name))),
    }
}

/// The error that a table does not exist.
pub fn unknown_table(catalog: &dyn Catalog, name: &str, location: Option<Location>) -> PlanError {
    let all = catalog.names();
    let twins: Vec<&str> = all
        .iter()
        .map(String::as_str)
        .filter(|known| known.to_lowercase() == name.to_lowercase())
        .collect();
    if twins.len() > 1 {
        return PlanError::new(
            PlanErrorKind::AmbiguousName,
            format!("table {name} fits {}", twins.join(" and ")),
        )
        .hint("write the name in its exact case")
        .at(location);
    }
    let error = PlanError::new(
        PlanErrorKind::UnknownTable,
        format!("table or view {name} does not exist"),
    )
    .suggest(name, all.iter().map(String::as_str))
    .at(location);
    if error.hint_text().is_some() {
        return error;
    }
    error.hint("SHOW TABLES lists the tables and views")
}

/// The name without `default_catalog.default_database.` in front.
///
/// # Errors
/// It names another catalog or database.
pub fn local_name(name: &ObjectName) -> Result<String, PlanError> {
    let parts: Vec<&str> = name
        .0
        .iter()
        .filter_map(|part| part.as_ident())
        .map(|ident| ident.value.as_str())
        .collect();
    let unknown = |what: &str, which: &str| {
        PlanError::new(
            PlanErrorKind::UnknownName,
            format!("{what} {which} does not exist"),
        )
        .at(location_of(name))
    };
    match parts.as_slice() {
        [table] => Ok((*table).to_string()),
        [database, table] if database.eq_ignore_ascii_case(DEFAULT_DATABASE) => {
            Ok((*table).to_string())
        }
        [database, _] => Err(unknown("database", database)),
        [catalog, _, _] if !catalog.eq_ignore_ascii_case(DEFAULT_CATALOG) => {
            Err(unknown("catalog", catalog))
        }
        [_, database, table] if database.eq_ignore_ascii_case(DEFAULT_DATABASE) => {
            Ok((*table).to_string())
        }
        [_, database, _] => Err(unknown("database", database)),
        _ => Err(PlanError::new(
            PlanErrorKind::Syntax,
            format!("{name} has too many parts for the name of a table"),
        )
        .at(location_of(name))),
    }
}

/// Where a name stands in the SQL.
pub fn location_of(name: &ObjectName) -> Option<Location> {
    let ident = name.0.first().and_then(|part| part.as_ident())?;
    Location::of(ident.span)
}
