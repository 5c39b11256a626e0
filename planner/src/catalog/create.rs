//! CREATE and DROP: from statements to objects of a catalog.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use sqlparser::ast::ObjectName;

use super::{Catalogs, Declaring, Lookup, Object, ObjectPath, Table, View, like, location_of};
use crate::parser::{
    self, Basis, CreateMode, CreateTable, CreateView, Declaration, ObjectKind, Query,
};
use levada_language::error::{PlanError, PlanErrorKind};

/// What was there under the name of something that was created, so that it can be put back.
#[derive(Debug)]
pub struct Before {
    path: ObjectPath,
    temporary: bool,
    object: Option<Object>,
}

impl Before {
    /// Puts back what was there.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn restore(self, catalogs: &Catalogs) -> Result<(), PlanError> {
        match self.object {
            Some(object) => catalogs.put(&self.path, object),
            None => catalogs.remove(&self.path, self.temporary).map(|_| ()),
        }
    }
}

/// CREATE TABLE; `columns_of` says which columns the query of AS has. `None` if the table was there
/// already and IF NOT EXISTS was said.
///
/// # Errors
/// The name is taken, LIKE or AS does not fit, or what [`Declaring::table`] finds.
pub fn create_table(
    lookup: &Lookup<'_>,
    declaring: &Declaring<'_>,
    statement: &CreateTable,
    columns_of: impl FnOnce(&Query) -> Result<SchemaRef, PlanError>,
) -> Result<Option<Before>, PlanError> {
    let (name, mode) = (&statement.name, statement.mode);
    let Some(before) = may_create(lookup, mode, name, ObjectKind::Table)? else {
        return Ok(None);
    };
    let declaration = declaration(lookup, statement, columns_of)?;
    let at = location_of(name);
    let table = declaring.table(before.path.clone(), declaration, mode.temporary, at)?;
    let table = Object::Table(Arc::new(table));
    lookup.catalogs().put(&before.path, table)?;
    Ok(Some(before))
}

/// What the table is declared to be, with what LIKE and AS add.
fn declaration(
    lookup: &Lookup<'_>,
    statement: &CreateTable,
    columns_of: impl FnOnce(&Query) -> Result<SchemaRef, PlanError>,
) -> Result<Declaration, PlanError> {
    match &statement.basis {
        Basis::Nothing => Ok(statement.declaration.clone()),
        Basis::Like(clause) => {
            let base: Arc<Table> = lookup.find_table(&clause.table)?;
            like::merged(&base, &statement.declaration, clause)
        }
        Basis::Query { query, order } => {
            let columns = columns_of(query)?;
            like::of_query(&columns, &statement.declaration, order, query)
        }
    }
}

/// CREATE VIEW. `check` plans the view's query, so that it is known to be valid, and says the names of
/// its columns. False if there was one already and IF NOT EXISTS was said.
///
/// # Errors
/// The name is taken, or what `check` finds.
pub fn create_view(
    lookup: &Lookup<'_>,
    statement: &CreateView,
    check: impl FnOnce(&View) -> Result<Vec<String>, PlanError>,
) -> Result<bool, PlanError> {
    let (name, mode) = (&statement.name, statement.mode);
    let Some(before) = may_create(lookup, mode, name, ObjectKind::View)? else {
        return Ok(false);
    };
    let columns = statement.columns.iter();
    let mut view = View {
        name: before.path.to_string(),
        path: before.path,
        place: Arc::clone(lookup.place()),
        columns: columns.map(|ident| ident.value.clone()).collect(),
        shown: Vec::new(),
        query: statement.query.clone(),
        comment: statement.comment.clone(),
        temporary: mode.temporary,
    };
    view.shown = check(&view)?;
    let path = view.path.clone();
    lookup.catalogs().put(&path, Object::View(Arc::new(view)))?;
    Ok(true)
}

/// DROP TABLE or DROP VIEW. For each name, false if there was none and IF EXISTS was said.
///
/// # Errors
/// There is none of a name, or it is of the other kind; then all of them stay.
pub fn drop_objects(lookup: &Lookup<'_>, statement: &parser::Drop) -> Result<Vec<bool>, PlanError> {
    let mut found = Vec::new();
    for name in &statement.names {
        found.push(dropped(lookup, statement, name)?);
    }
    let catalogs = lookup.catalogs();
    let remove = |path: Option<ObjectPath>| match path {
        Some(path) => catalogs.remove(&path, statement.temporary),
        None => Ok(false),
    };
    found.into_iter().map(remove).collect()
}

/// What one name of DROP means; `None` if there is nothing to do.
fn dropped(
    lookup: &Lookup<'_>,
    statement: &parser::Drop,
    name: &ObjectName,
) -> Result<Option<ObjectPath>, PlanError> {
    let at = location_of(name);
    let found = match lookup.get(name) {
        Err(error) if error.kind() == PlanErrorKind::UnknownName && statement.if_exists => None,
        found => found?,
    };
    let Some((path, object)) = found else {
        return match statement.if_exists {
            true => Ok(None),
            false => Err(lookup.unknown(name).at(at)),
        };
    };
    if statement.temporary && !object.is_temporary() && statement.if_exists {
        return Ok(None);
    }
    let kind = object.kind().to_uppercase();
    let said = if statement.temporary {
        "TEMPORARY "
    } else {
        ""
    };
    let needed = if object.is_temporary() {
        "TEMPORARY "
    } else {
        ""
    };
    let fits = object.object_kind() == statement.kind && said == needed;
    if fits {
        return Ok(Some(path));
    }
    Err(PlanError::new(
        PlanErrorKind::InvalidStatement,
        format!("{path} is a {}{}", needed.to_lowercase(), object.kind()),
    )
    .hint(format!("use DROP {needed}{kind}"))
    .at(at))
}

/// CREATE MATERIALIZED VIEW: the full name; `None` if there is such a view and IF NOT EXISTS was said.
///
/// # Errors
/// The name is taken.
pub(crate) fn may_create_view(
    lookup: &Lookup<'_>,
    name: &ObjectName,
    if_not_exists: bool,
) -> Result<Option<ObjectPath>, PlanError> {
    let mode = CreateMode {
        if_not_exists,
        ..CreateMode::default()
    };
    let before = may_create(lookup, mode, name, ObjectKind::MaterializedView)?;
    Ok(before.map(|before| before.path))
}

/// Whether the name is free, or may be replaced; `None` if nothing is to be done. A temporary object
/// may have the name of a permanent one, and the other way round.
fn may_create(
    lookup: &Lookup<'_>,
    mode: CreateMode,
    written: &ObjectName,
    kind: ObjectKind,
) -> Result<Option<Before>, PlanError> {
    let path = lookup.path(written)?;
    let object = match mode.temporary {
        true => lookup.catalogs().get_temporary(&path),
        false => lookup.catalogs().get_permanent(&path),
    };
    let same_kind = object
        .as_ref()
        .is_none_or(|found| found.object_kind() == kind);
    let is_free = object.is_none() || mode.or_replace && same_kind;
    if is_free {
        return Ok(Some(Before {
            path,
            temporary: mode.temporary,
            object,
        }));
    }
    if mode.if_not_exists {
        return Ok(None);
    }
    let kind = object.map_or("table", |found| found.kind());
    Err(PlanError::new(
        PlanErrorKind::DuplicateName,
        format!("{kind} {path} exists already"),
    )
    .hint(match same_kind {
        true => "use CREATE OR REPLACE, or IF NOT EXISTS, or drop it first",
        false => "choose another name, or drop it first",
    })
    .at(location_of(written)))
}
