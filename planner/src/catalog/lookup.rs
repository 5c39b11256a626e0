//! Names in statements: which object, database or catalog they mean.

use std::sync::Arc;

use sqlparser::ast::{Ident, ObjectName};

use super::{CatalogEntry, Catalogs, Object, ObjectPath, Place, Table, location_of};
use crate::parser::names;
use levada_language::error::{Location, PlanError, PlanErrorKind};

/// Names as they are found from one database: `t` there, `d.t` in the same catalog, `c.d.t` anywhere.
/// Each part is found exactly, else by the only name that differs in case alone.
#[derive(Debug, Clone)]
pub struct Lookup<'a> {
    catalogs: &'a Catalogs,
    place: Arc<Place>,
}

impl<'a> Lookup<'a> {
    pub(super) fn new(catalogs: &'a Catalogs, place: Arc<Place>) -> Self {
        Lookup { catalogs, place }
    }

    /// The same names as they are found from another database, such as that of a view.
    #[must_use]
    pub fn from(&self, place: &Arc<Place>) -> Self {
        Lookup::new(self.catalogs, Arc::clone(place))
    }

    /// All that can be named.
    pub fn catalogs(&self) -> &'a Catalogs {
        self.catalogs
    }

    /// The database from which names are found.
    pub fn place(&self) -> &Arc<Place> {
        &self.place
    }

    /// Finds an object by a name from a statement; `None` if its database does not have it.
    ///
    /// # Errors
    /// There is no such database or catalog, with the name's position.
    pub fn get(&self, name: &ObjectName) -> Result<Option<(ObjectPath, Object)>, PlanError> {
        let path = self.path(name)?;
        if let Some(object) = self.catalogs.get(&path) {
            return Ok(Some((path, object)));
        }
        let all = self.catalogs.objects(&path.place);
        let Some(found) = names::resolve(&path.name, all.iter().map(String::as_str)) else {
            return Ok(None);
        };
        let path = ObjectPath {
            name: found.to_string(),
            place: path.place,
        };
        Ok(self.catalogs.get(&path).map(|object| (path, object)))
    }

    /// Finds an object by a name from a statement.
    ///
    /// # Errors
    /// There is none, with the name's position.
    pub fn find(&self, name: &ObjectName) -> Result<(ObjectPath, Object), PlanError> {
        match self.get(name)? {
            Some(found) => Ok(found),
            None => Err(self.unknown(name).at(location_of(name))),
        }
    }

    /// Finds a table by a name from a statement.
    ///
    /// # Errors
    /// There is none, or it is a view; with the name's position.
    pub fn find_table(&self, name: &ObjectName) -> Result<Arc<Table>, PlanError> {
        match self.find(name)? {
            (_, Object::Table(table)) => Ok(table),
            (found, Object::View(_)) => Err(PlanError::new(
                PlanErrorKind::InvalidStatement,
                format!("{found} is a view, and a table is needed here"),
            )
            .hint("SHOW TABLES and SHOW VIEWS tell which is which")
            .at(location_of(name))),
        }
    }

    /// The full name that a name from a statement means, whether there is such an object or not.
    ///
    /// # Errors
    /// There is no such database or catalog, or the name has too many parts; with its position.
    pub fn path(&self, name: &ObjectName) -> Result<ObjectPath, PlanError> {
        let parts = idents(name);
        let (last, place) = match parts.as_slice() {
            [last] => (last, self.place.as_ref().clone()),
            [database, last] => (last, self.database_in(&self.place.catalog, database)?),
            [catalog, database, last] => {
                let (catalog, _) = self.catalog(catalog)?;
                (last, self.database_in(&catalog, database)?)
            }
            _ => {
                return Err(PlanError::new(
                    PlanErrorKind::Syntax,
                    format!("{name} has too many parts for the name of a table"),
                )
                .hint("a full name is catalog.database.table")
                .at(location_of(name)));
            }
        };
        Ok(ObjectPath {
            place,
            name: last.value.clone(),
        })
    }

    /// A catalog by its name.
    ///
    /// # Errors
    /// There is none, with the name's position.
    pub fn catalog(&self, name: &Ident) -> Result<(String, CatalogEntry), PlanError> {
        let known = self.catalogs.names();
        let found = names::resolve(&name.value, known.iter().map(String::as_str));
        match found.and_then(|found| Some((found.to_string(), self.catalogs.entry(found)?))) {
            Some(found) => Ok(found),
            None => Err(unknown_name("catalog", name, &known)),
        }
    }

    /// A database by its name, with the catalog's in front if it has two parts.
    ///
    /// # Errors
    /// There is none, with the name's position.
    pub fn database(&self, name: &ObjectName) -> Result<Place, PlanError> {
        let (catalog, database) = self.database_name(name)?;
        self.database_in(&catalog, &database)
    }

    /// The catalog and the name of a database, whether there is such a database or not.
    ///
    /// # Errors
    /// There is no such catalog, or the name has too many parts.
    pub fn database_name(&self, name: &ObjectName) -> Result<(String, Ident), PlanError> {
        match idents(name).as_slice() {
            [database] => Ok((self.place.catalog.clone(), database.clone())),
            [catalog, database] => Ok((self.catalog(catalog)?.0, database.clone())),
            _ => Err(PlanError::new(
                PlanErrorKind::Syntax,
                format!("{name} has too many parts for the name of a database"),
            )
            .hint("a full name is catalog.database")
            .at(location_of(name))),
        }
    }

    fn database_in(&self, catalog: &str, name: &Ident) -> Result<Place, PlanError> {
        let known = match self.catalogs.entry(catalog) {
            Some(entry) => entry.catalog.databases(),
            None => Vec::new(),
        };
        match names::resolve(&name.value, known.iter().map(String::as_str)) {
            Some(found) => Ok(Place {
                catalog: catalog.to_string(),
                database: found.to_string(),
            }),
            None => Err(unknown_name("database", name, &known)),
        }
    }

    /// The error that an object does not exist, without a position.
    pub fn unknown(&self, name: &ObjectName) -> PlanError {
        let path = match self.path(name) {
            Ok(path) => path,
            Err(error) => return error,
        };
        let all = self.catalogs.objects(&path.place);
        let wanted = path.name.to_lowercase();
        let mut twins = all.clone();
        twins.retain(|known| known.to_lowercase() == wanted);
        if twins.len() > 1 {
            return PlanError::new(
                PlanErrorKind::AmbiguousName,
                format!("table {} fits {}", path.name, twins.join(" and ")),
            )
            .hint("write the name in its exact case");
        }
        let error = PlanError::new(
            PlanErrorKind::UnknownTable,
            format!("table or view {path} does not exist"),
        );
        if let Some(other) = self.elsewhere(&path) {
            return error.hint(format!("there is one in {}: write {other}", other.place));
        }
        let error = error.suggest(&path.name, all.iter().map(String::as_str));
        match error.hint_text() {
            Some(_) => error,
            None => error.hint("SHOW TABLES lists the tables and views"),
        }
    }

    /// An object of this name in another database.
    fn elsewhere(&self, path: &ObjectPath) -> Option<ObjectPath> {
        for catalog in self.catalogs.names() {
            for database in self.catalogs.entry(&catalog)?.catalog.databases() {
                let place = Place {
                    catalog: catalog.clone(),
                    database,
                };
                let all = self.catalogs.objects(&place);
                let found = names::resolve(&path.name, all.iter().map(String::as_str));
                if let Some(found) = found.filter(|_| place != path.place) {
                    let name = found.to_string();
                    return Some(ObjectPath { place, name });
                }
            }
        }
        None
    }
}

fn idents(name: &ObjectName) -> Vec<Ident> {
    let parts = name.0.iter();
    parts.filter_map(|part| part.as_ident().cloned()).collect()
}

fn unknown_name(what: &str, name: &Ident, known: &[String]) -> PlanError {
    let error = PlanError::new(
        PlanErrorKind::UnknownName,
        format!("{what} {} does not exist", name.value),
    )
    .suggest(&name.value, known.iter().map(String::as_str))
    .at(Location::of(name.span));
    match error.hint_text() {
        Some(_) => error,
        None => error.hint(format!("the {what}s are: {}", known.join(", "))),
    }
}
