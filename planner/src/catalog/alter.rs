//! ALTER TABLE and ALTER VIEW: another declaration, of which the object is made anew.

use std::sync::Arc;

use sqlparser::ast::{Ident, ObjectName};

use super::{Declaring, Lookup, Object, ObjectPath, Table, View, location_of};
use crate::parser::{
    Alter, Column, ColumnPlace, Declaration, Element, Query, TableChange, TableOption, ViewChange,
    names,
};
use levada_language::error::{Location, PlanError, PlanErrorKind};

/// ALTER TABLE or ALTER VIEW; `check` is that of CREATE VIEW. Jobs that run are not touched. False if
/// there is none and IF EXISTS was said.
///
/// # Errors
/// There is none, the change does not fit what is there, or the changed object is wrong.
pub fn alter(
    lookup: &Lookup<'_>,
    declaring: &Declaring<'_>,
    statement: &Alter,
    check: impl FnOnce(&View) -> Result<Vec<String>, PlanError>,
) -> Result<bool, PlanError> {
    let (Alter::Table {
        name, if_exists, ..
    }
    | Alter::View {
        name, if_exists, ..
    }) = statement;
    let Some((path, object)) = lookup.get(name)? else {
        return match if_exists {
            true => Ok(false),
            false => Err(lookup.unknown(name).at(location_of(name))),
        };
    };
    match (statement, object) {
        (Alter::Table { change, .. }, Object::Table(table)) => {
            alter_table(lookup, declaring, (path, name), &table, change)?;
        }
        (Alter::View { change, .. }, Object::View(view)) => {
            alter_view(lookup, (path, name), &view, change, check)?;
        }
        (_, object) => {
            let kind = object.kind();
            return Err(PlanError::new(
                PlanErrorKind::InvalidStatement,
                format!("{path} is a {kind}"),
            )
            .hint(format!("use ALTER {}", kind.to_uppercase()))
            .at(location_of(name)));
        }
    }
    Ok(true)
}

fn alter_table(
    lookup: &Lookup<'_>,
    declaring: &Declaring<'_>,
    (path, written): (ObjectPath, &ObjectName),
    table: &Table,
    change: &TableChange,
) -> Result<(), PlanError> {
    let at = location_of(written);
    let mut declaration = table.declaration.clone();
    let mut target = path.clone();
    match change {
        TableChange::Rename(name) => {
            target = free_name(lookup, &path, name, table.temporary)?;
        }
        TableChange::RenameColumn { from, to } => rename_column(&mut declaration, from, to)?,
        TableChange::Add(elements) => add(&mut declaration, elements)?,
        TableChange::Modify(elements) => modify(&mut declaration, elements)?,
        TableChange::DropColumns(columns) => drop_columns(&mut declaration, columns)?,
        TableChange::DropPrimaryKey(name, location) => {
            drop_primary_key(&mut declaration, name.as_ref(), *location)?;
        }
        TableChange::DropWatermark(location) => {
            if declaration.watermark.take().is_none() {
                return Err(missing("watermark", Some(*location)));
            }
        }
        TableChange::Set(options) => set(&mut declaration.options, options),
        TableChange::Reset(keys) => reset(&mut declaration.options, keys)?,
    }
    let made = declaring.table(target.clone(), declaration, table.temporary, at)?;
    let catalogs = lookup.catalogs();
    catalogs.put(&target, Object::Table(Arc::new(made)))?;
    if target != path {
        catalogs.remove(&path, table.temporary)?;
    }
    Ok(())
}

fn alter_view(
    lookup: &Lookup<'_>,
    (path, written): (ObjectPath, &ObjectName),
    view: &View,
    change: &ViewChange,
    check: impl FnOnce(&View) -> Result<Vec<String>, PlanError>,
) -> Result<(), PlanError> {
    let catalogs = lookup.catalogs();
    let mut changed = view.clone();
    match change {
        ViewChange::Rename(name) => {
            let target = free_name(lookup, &path, name, view.temporary)?;
            changed.name = target.to_string();
            changed.path = target.clone();
            catalogs.put(&target, Object::View(Arc::new(changed)))?;
            catalogs.remove(&path, view.temporary)?;
        }
        ViewChange::Query(query) => {
            changed.query = Query::clone(query);
            changed.place = Arc::clone(lookup.place());
            changed.columns = Vec::new();
            changed.shown = check(&changed).map_err(|e| e.or_at(location_of(written)))?;
            catalogs.put(&path, Object::View(Arc::new(changed)))?;
        }
    }
    Ok(())
}

/// The full name behind RENAME TO, which is in the same database and not taken.
fn free_name(
    lookup: &Lookup<'_>,
    path: &ObjectPath,
    written: &ObjectName,
    temporary: bool,
) -> Result<ObjectPath, PlanError> {
    let at = location_of(written);
    let mut target = lookup.path(written)?;
    if written.0.len() == 1 {
        target.place = path.place.clone();
    }
    if target.place != path.place {
        return Err(PlanError::unsupported("renaming into another database", at)
            .hint("create it there, and drop it here"));
    }
    let taken = match temporary {
        true => lookup.catalogs().get_temporary(&target),
        false => lookup.catalogs().get_permanent(&target),
    };
    match taken {
        None => Ok(target),
        Some(found) => Err(PlanError::new(
            PlanErrorKind::DuplicateName,
            format!("{} {target} exists already", found.kind()),
        )
        .hint("choose another name, or drop it first")
        .at(at)),
    }
}

/// The position of the column that a name means.
fn position(declaration: &Declaration, ident: &Ident) -> Result<usize, PlanError> {
    let known = || declaration.columns.iter().map(|c| c.name.value.as_str());
    let found = names::resolve(&ident.value, known());
    found
        .and_then(|found| known().position(|name| name == found))
        .ok_or_else(|| {
            PlanError::new(
                PlanErrorKind::UnknownColumn,
                format!("column {} does not exist in this table", ident.value),
            )
            .suggest(&ident.value, known())
            .at(Location::of(ident.span))
        })
}

fn missing(what: &str, at: Option<Location>) -> PlanError {
    PlanError::new(
        PlanErrorKind::InvalidStatement,
        format!("the table has no {what}"),
    )
    .at(at)
}

fn there_already(what: &str, at: Option<Location>) -> PlanError {
    PlanError::new(
        PlanErrorKind::DuplicateName,
        format!("the table has {what} already"),
    )
    .hint("write ALTER TABLE … MODIFY to change it")
    .at(at)
}

fn rename_column(declaration: &mut Declaration, from: &Ident, to: &Ident) -> Result<(), PlanError> {
    let position = position(declaration, from)?;
    if declaration.column(&to.value).is_some() {
        return Err(PlanError::new(
            PlanErrorKind::DuplicateName,
            format!("the table has a column {} already", to.value),
        )
        .at(Location::of(to.span)));
    }
    let Some(column) = declaration.columns.get_mut(position) else {
        return Err(PlanError::internal("a column is at no position"));
    };
    let old = std::mem::replace(&mut column.name.value, to.value.clone());
    let watermark = declaration.watermark.iter_mut().map(|w| &mut w.column);
    let key = declaration.primary_key.iter_mut();
    let key = key.flat_map(|key| &mut key.columns);
    let partitions = &mut declaration.partitioned_by;
    for ident in watermark.chain(key).chain(partitions) {
        if ident.value == old {
            ident.value.clone_from(&to.value);
        }
    }
    Ok(())
}

fn add(declaration: &mut Declaration, elements: &[Element]) -> Result<(), PlanError> {
    for element in elements {
        match element {
            Element::Column(column, place) => {
                if declaration.column(&column.name.value).is_some() {
                    let what = format!("a column {}", column.name.value);
                    return Err(there_already(&what, Location::of(column.name.span)));
                }
                insert_column(declaration, column, place.as_ref())?;
            }
            Element::Watermark(watermark) => {
                if declaration.watermark.is_some() {
                    return Err(there_already("a watermark", watermark.location));
                }
                declaration.watermark = Some(watermark.clone());
            }
            Element::PrimaryKey(key) => {
                if declaration.primary_key.is_some() {
                    return Err(there_already("a primary key", key.location));
                }
                declaration.primary_key = Some(key.clone());
            }
        }
    }
    Ok(())
}

fn modify(declaration: &mut Declaration, elements: &[Element]) -> Result<(), PlanError> {
    for element in elements {
        match element {
            Element::Column(column, place) => {
                let there = position(declaration, &column.name)?;
                let mut new = Column::clone(column);
                let old = declaration.columns.remove(there);
                // The clauses that name the column go on doing so.
                new.name.value = old.name.value;
                new.comment = new.comment.or(old.comment);
                match place {
                    Some(_) => insert_column(declaration, &new, place.as_ref())?,
                    None => declaration.columns.insert(there, new),
                }
            }
            Element::Watermark(watermark) => {
                if declaration.watermark.is_none() {
                    return Err(missing("watermark", watermark.location).hint("write ADD"));
                }
                declaration.watermark = Some(watermark.clone());
            }
            Element::PrimaryKey(key) => {
                if declaration.primary_key.is_none() {
                    return Err(missing("primary key", key.location).hint("write ADD"));
                }
                declaration.primary_key = Some(key.clone());
            }
        }
    }
    Ok(())
}

fn insert_column(
    declaration: &mut Declaration,
    column: &Column,
    place: Option<&ColumnPlace>,
) -> Result<(), PlanError> {
    let at = match place {
        None => declaration.columns.len(),
        Some(ColumnPlace::First) => 0,
        Some(ColumnPlace::After(other)) => position(declaration, other)? + 1,
    };
    declaration.columns.insert(at, column.clone());
    Ok(())
}

fn drop_columns(declaration: &mut Declaration, columns: &[Ident]) -> Result<(), PlanError> {
    for ident in columns {
        let position = position(declaration, ident)?;
        let name = declaration.columns.remove(position).name.value;
        let watermark = declaration.watermark.as_ref();
        let key = declaration.primary_key.as_ref();
        let used = if watermark.is_some_and(|w| w.column.value == name) {
            Some(("has the watermark", "DROP WATERMARK first"))
        } else if key.is_some_and(|k| k.columns.iter().any(|c| c.value == name)) {
            Some(("is in the primary key", "DROP PRIMARY KEY first"))
        } else if declaration.partitioned_by.iter().any(|c| c.value == name) {
            Some(("is in PARTITIONED BY", "the columns of partitions stay"))
        } else {
            None
        };
        if let Some((what, hint)) = used {
            return Err(PlanError::new(
                PlanErrorKind::InvalidStatement,
                format!("column {name} {what}"),
            )
            .hint(hint)
            .at(Location::of(ident.span)));
        }
    }
    if declaration.columns.is_empty() {
        let at = columns.first().and_then(|c| Location::of(c.span));
        return Err(PlanError::new(
            PlanErrorKind::InvalidStatement,
            "a table needs a column, and this would be the last",
        )
        .at(at));
    }
    Ok(())
}

fn drop_primary_key(
    declaration: &mut Declaration,
    name: Option<&Ident>,
    location: Location,
) -> Result<(), PlanError> {
    let Some(key) = &declaration.primary_key else {
        return Err(missing("primary key", Some(location)));
    };
    if let Some(name) = name
        && key.name.as_ref().is_none_or(|own| own.value != name.value)
    {
        let known = key.name.iter().map(|own| own.value.as_str());
        return Err(PlanError::new(
            PlanErrorKind::UnknownName,
            format!("the table has no constraint {}", name.value),
        )
        .hint("DROP PRIMARY KEY drops the primary key, whatever it is called")
        .suggest(&name.value, known)
        .at(Location::of(name.span)));
    }
    declaration.primary_key = None;
    Ok(())
}

fn set(options: &mut Vec<TableOption>, new: &[TableOption]) {
    for option in new {
        match options.iter_mut().find(|there| there.key == option.key) {
            Some(there) => *there = option.clone(),
            None => options.push(option.clone()),
        }
    }
}

fn reset(options: &mut Vec<TableOption>, keys: &[(String, Location)]) -> Result<(), PlanError> {
    for (key, location) in keys {
        let known = options.iter().map(|option| option.key.as_str());
        let Some(position) = known.clone().position(|there| there == key) else {
            return Err(PlanError::new(
                PlanErrorKind::UnknownOption,
                format!("the table has no option '{key}'"),
            )
            .suggest(key, known)
            .at(Some(*location)));
        };
        options.remove(position);
    }
    Ok(())
}
