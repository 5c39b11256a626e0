//! Databases and catalogs: CREATE, ALTER, DROP and USE.

use std::collections::BTreeMap;

use sqlparser::ast::{Ident, ObjectName};

use super::options::option_map;
use super::{CatalogEntry, Database, Lookup, Place, location_of};
use crate::parser::{DefineCatalog, DefineDatabase, PropertyChange, TableOption, Use};
use levada_language::error::{Location, PlanError, PlanErrorKind, nearest};

/// The type of catalogs that live as long as their session.
pub const IN_MEMORY: &str = "generic_in_memory";
const DEFAULT: &str = "default-database";
/// What the default database of a catalog is called if nothing else is said.
const DEFAULT_NAME: &str = "default";

/// USE and USE CATALOG. Says where the session is.
///
/// # Errors
/// There is no such database or catalog.
pub fn use_place(lookup: &Lookup<'_>, place: &Use) -> Result<String, PlanError> {
    match place {
        Use::Catalog(name) => {
            let (catalog, entry) = lookup.catalog(name)?;
            if catalog == lookup.place().catalog {
                return Ok(format!("the current catalog is {catalog}"));
            }
            lookup.catalogs().go_to(Place {
                catalog: catalog.clone(),
                database: entry.default_database,
            });
            Ok(format!("the current catalog is {catalog}"))
        }
        Use::Database(name) => {
            let place = lookup.database(name)?;
            let said = match place.catalog == lookup.place().catalog {
                true => format!("the current database is {}", place.database),
                false => format!("the current database is {place}"),
            };
            lookup.catalogs().go_to(place);
            Ok(said)
        }
    }
}

/// CREATE, ALTER and DROP of a database. Says what happened.
///
/// # Errors
/// It is there already, is not there, or is in use.
pub fn define_database(
    lookup: &Lookup<'_>,
    statement: &DefineDatabase,
) -> Result<String, PlanError> {
    match statement {
        DefineDatabase::Create {
            name,
            if_not_exists,
            comment,
            properties,
        } => {
            let (catalog, database) = lookup.database_name(name)?;
            let entry = entry(lookup, &catalog)?;
            if entry.catalog.database(&database.value).is_some() {
                return match if_not_exists {
                    true => Ok(format!("database {name} exists already")),
                    false => Err(exists("database", &database)),
                };
            }
            let made = Database {
                comment: comment.clone(),
                properties: option_map(properties),
            };
            entry.catalog.put_database(&database.value, made)?;
            Ok(format!("database {name} created"))
        }
        DefineDatabase::Alter { name, change } => {
            let place = lookup.database(name)?;
            let entry = entry(lookup, &place.catalog)?;
            let mut database = entry.catalog.database(&place.database).unwrap_or_default();
            alter_properties(&mut database.properties, &mut database.comment, change)?;
            entry.catalog.put_database(&place.database, database)?;
            Ok(format!("database {name} altered"))
        }
        DefineDatabase::Drop {
            name,
            if_exists,
            cascade,
        } => drop_database(lookup, name, *if_exists, *cascade),
    }
}

fn drop_database(
    lookup: &Lookup<'_>,
    name: &ObjectName,
    if_exists: bool,
    cascade: bool,
) -> Result<String, PlanError> {
    let place = match lookup.database(name) {
        Err(error) if if_exists && error.kind() == PlanErrorKind::UnknownName => {
            return Ok(format!("database {name} does not exist"));
        }
        found => found?,
    };
    let refused = |what: String, hint: &str| {
        let error = PlanError::new(PlanErrorKind::InvalidStatement, what).hint(hint);
        Err(error.at(location_of(name)))
    };
    if place == **lookup.place() {
        let what = format!("database {} is the current one", place.database);
        return refused(what, "USE another one first");
    }
    let entry = entry(lookup, &place.catalog)?;
    if entry.default_database == place.database {
        let what = format!(
            "USE CATALOG {} goes to the database {}",
            place.catalog, place.database
        );
        return refused(
            what,
            "the default database of a catalog stays as long as the catalog",
        );
    }
    let mut objects = lookup.catalogs().objects(&place);
    let functions = entry.catalog.functions(&place.database);
    objects.extend(functions.iter().map(|name| format!("the function {name}")));
    if !cascade && !objects.is_empty() {
        let what = format!("database {} has {}", place.database, objects.join(", "));
        return refused(
            what,
            "DROP DATABASE … CASCADE drops the tables, views and functions too",
        );
    }
    entry.catalog.remove_database(&place.database)?;
    lookup.catalogs().forget_temporary_of(&place);
    Ok(format!("database {name} dropped"))
}

/// CREATE, ALTER and DROP of a catalog. Says what happened.
///
/// # Errors
/// It is there already, is not there, is in use, or has options that it cannot have.
pub fn define_catalog(lookup: &Lookup<'_>, statement: &DefineCatalog) -> Result<String, PlanError> {
    let catalogs = lookup.catalogs();
    match statement {
        DefineCatalog::Create {
            name,
            if_not_exists,
            comment,
            options,
        } => {
            if catalogs.entry(&name.value).is_some() {
                return match if_not_exists {
                    true => Ok(format!("catalog {name} exists already")),
                    false => Err(exists("catalog", name)),
                };
            }
            let mut made = checked(option_map(options), options, Location::of(name.span))?;
            made.comment.clone_from(comment);
            catalogs.put_entry(&name.value, made);
            Ok(format!("catalog {name} created"))
        }
        DefineCatalog::Alter { name, change } => {
            let (found, mut entry) = lookup.catalog(name)?;
            alter_properties(&mut entry.options, &mut entry.comment, change)?;
            let new: &[TableOption] = match change {
                PropertyChange::Set(options) => options,
                _ => &[],
            };
            // The databases stay; only what is said of the catalog is another.
            checked(entry.options.clone(), new, Location::of(name.span))?;
            catalogs.put_entry(&found, entry);
            Ok(format!("catalog {name} altered"))
        }
        DefineCatalog::Drop { name, if_exists } => {
            let found = match lookup.catalog(name) {
                Err(_) if *if_exists => return Ok(format!("catalog {name} does not exist")),
                found => found?.0,
            };
            if found == lookup.place().catalog {
                return Err(PlanError::new(
                    PlanErrorKind::InvalidStatement,
                    format!("catalog {found} is the current one"),
                )
                .hint("USE CATALOG another one first")
                .at(Location::of(name.span)));
            }
            catalogs.remove_entry(&found);
            Ok(format!("catalog {name} dropped"))
        }
    }
}

fn entry(lookup: &Lookup<'_>, catalog: &str) -> Result<CatalogEntry, PlanError> {
    let found = lookup.catalogs().entry(catalog);
    found.ok_or_else(|| PlanError::internal(format!("catalog {catalog} is gone")))
}

fn exists(what: &str, name: &Ident) -> PlanError {
    PlanError::new(
        PlanErrorKind::DuplicateName,
        format!("{what} {} exists already", name.value),
    )
    .hint("use IF NOT EXISTS, or choose another name")
    .at(Location::of(name.span))
}

/// A catalog with these options; `written` are those of them that the statement has.
fn checked(
    options: BTreeMap<String, String>,
    written: &[TableOption],
    at: Option<Location>,
) -> Result<CatalogEntry, PlanError> {
    let written = |key: &str| written.iter().find(|option| option.key == key);
    match options.get("type").map(String::as_str) {
        Some(IN_MEMORY) => {}
        Some(other) => {
            let place = written("type").and_then(|option| option.value_location);
            let error = PlanError::new(
                PlanErrorKind::UnknownName,
                format!("there are no catalogs of the type '{other}'"),
            );
            return Err(error
                .hint(format!(
                    "the only type is '{IN_MEMORY}': the catalog lives as long as its session"
                ))
                .at(place.or(at)));
        }
        None => {
            let error = PlanError::new(PlanErrorKind::MissingOption, "a catalog needs a type");
            return Err(error
                .hint(format!("add WITH ('type' = '{IN_MEMORY}')"))
                .at(at));
        }
    }
    const KNOWN: [&str; 2] = ["type", DEFAULT];
    if let Some(key) = options.keys().find(|key| !KNOWN.contains(&key.as_str())) {
        let error = PlanError::new(
            PlanErrorKind::UnknownOption,
            format!("unknown option '{key}' of a catalog of the type '{IN_MEMORY}'"),
        );
        let place = written(key).and_then(|option| option.key_location);
        return Err(error
            .hint(match nearest(key, KNOWN) {
                Some(near) => format!("did you mean '{near}'?"),
                None => format!("its options are: {}", KNOWN.join(", ")),
            })
            .at(place.or(at)));
    }
    let default = options.get(DEFAULT).map_or(DEFAULT_NAME, String::as_str);
    Ok(CatalogEntry {
        options: options.clone(),
        ..CatalogEntry::in_memory(default)
    })
}

fn alter_properties(
    properties: &mut BTreeMap<String, String>,
    comment: &mut Option<String>,
    change: &PropertyChange,
) -> Result<(), PlanError> {
    match change {
        PropertyChange::Set(new) => properties.extend(option_map(new)),
        PropertyChange::Comment(text) => *comment = Some(text.clone()),
        PropertyChange::Reset(keys) => {
            for (key, location) in keys {
                if properties.remove(key).is_none() {
                    return Err(PlanError::new(
                        PlanErrorKind::UnknownOption,
                        format!("'{key}' is not set"),
                    )
                    .suggest(key, properties.keys().map(String::as_str))
                    .at(Some(*location)));
                }
            }
        }
    }
    Ok(())
}
