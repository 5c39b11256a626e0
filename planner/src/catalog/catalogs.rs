//! All that a session can name: catalogs, temporary objects, and where it is.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::place::{DEFAULT_CATALOG, DEFAULT_DATABASE};
use super::{Catalog, Lookup, MemoryCatalog, Object, ObjectPath, Place, SqlFunction};
use levada_language::error::PlanError;

/// The catalogs of a session by their names, its temporary tables and views, and the database that
/// names without one mean.
///
/// A temporary object lies over a permanent one of the same full name for as long as it is there.
#[derive(Debug)]
pub struct Catalogs(RwLock<State>);

#[derive(Debug)]
struct State {
    catalogs: BTreeMap<String, CatalogEntry>,
    temporary: BTreeMap<ObjectPath, Object>,
    temporary_functions: BTreeMap<ObjectPath, Arc<SqlFunction>>,
    /// In front of the functions that are built in.
    system_functions: BTreeMap<String, Arc<SqlFunction>>,
    current: Arc<Place>,
}

/// A catalog, as a session has it.
#[derive(Debug, Clone)]
pub struct CatalogEntry {
    /// What is in it.
    pub catalog: Arc<dyn Catalog>,
    /// The database that USE CATALOG goes to.
    pub default_database: String,
    /// COMMENT.
    pub comment: Option<String>,
    /// WITH.
    pub options: BTreeMap<String, String>,
}

impl CatalogEntry {
    /// A catalog in memory, with its default database.
    pub fn in_memory(default_database: &str) -> Self {
        CatalogEntry {
            catalog: Arc::new(MemoryCatalog::with_database(default_database)),
            default_database: default_database.to_string(),
            comment: None,
            options: BTreeMap::from([("type".to_string(), super::IN_MEMORY.to_string())]),
        }
    }
}

impl Default for Catalogs {
    fn default() -> Self {
        let first = CatalogEntry::in_memory(DEFAULT_DATABASE);
        Catalogs(RwLock::new(State {
            catalogs: BTreeMap::from([(DEFAULT_CATALOG.to_string(), first)]),
            temporary: BTreeMap::new(),
            temporary_functions: BTreeMap::new(),
            system_functions: BTreeMap::new(),
            current: Arc::new(Place::default()),
        }))
    }
}

impl Catalogs {
    /// One empty catalog with one empty database.
    pub fn new() -> Self {
        Self::default()
    }

    // A writer that panicked left the state whole: every change is one insert, remove or assignment.
    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Names as they are found from the current database.
    pub fn lookup(&self) -> Lookup<'_> {
        self.lookup_from(&self.current())
    }

    /// Names as they are found from another database.
    pub fn lookup_from(&self, place: &Arc<Place>) -> Lookup<'_> {
        Lookup::new(self, Arc::clone(place))
    }

    /// The database that names without one mean.
    pub fn current(&self) -> Arc<Place> {
        Arc::clone(&self.read().current)
    }

    /// Names without a database mean this one from now on.
    pub fn go_to(&self, place: Place) {
        self.write().current = Arc::new(place);
    }

    /// The names of the catalogs, sorted.
    pub fn names(&self) -> Vec<String> {
        self.read().catalogs.keys().cloned().collect()
    }

    /// The catalog with exactly this name.
    pub fn entry(&self, name: &str) -> Option<CatalogEntry> {
        self.read().catalogs.get(name).cloned()
    }

    /// Adds a catalog, or puts another in its place.
    pub fn put_entry(&self, name: &str, entry: CatalogEntry) {
        self.write().catalogs.insert(name.to_string(), entry);
    }

    /// Takes a catalog away, with the temporary objects that are named after it.
    pub fn remove_entry(&self, name: &str) {
        let mut state = self.write();
        state.catalogs.remove(name);
        state.temporary.retain(|path, _| path.place.catalog != name);
        let functions = &mut state.temporary_functions;
        functions.retain(|path, _| path.place.catalog != name);
    }

    /// Takes the temporary objects of a database away.
    pub(super) fn forget_temporary_of(&self, place: &Place) {
        let mut state = self.write();
        state.temporary.retain(|path, _| path.place != *place);
        let functions = &mut state.temporary_functions;
        functions.retain(|path, _| path.place != *place);
    }

    /// The names of the tables and views of a database, sorted.
    pub fn objects(&self, place: &Place) -> Vec<String> {
        let state = self.read();
        let mut names = match state.catalogs.get(&place.catalog) {
            Some(entry) => entry.catalog.names(&place.database),
            None => Vec::new(),
        };
        let temporary = state.temporary.keys();
        names.extend(
            temporary
                .filter(|path| path.place == *place)
                .map(|path| path.name.clone()),
        );
        names.sort();
        names.dedup();
        names
    }

    /// The object of exactly this name; a temporary one before a permanent one.
    pub fn get(&self, path: &ObjectPath) -> Option<Object> {
        self.get_temporary(path)
            .or_else(|| self.get_permanent(path))
    }

    /// The temporary object of exactly this name.
    pub fn get_temporary(&self, path: &ObjectPath) -> Option<Object> {
        self.read().temporary.get(path).cloned()
    }

    /// The permanent object of exactly this name.
    pub fn get_permanent(&self, path: &ObjectPath) -> Option<Object> {
        let entry = self.entry(&path.place.catalog)?;
        entry.catalog.get(&path.place.database, &path.name)
    }

    /// Stores an object among the temporary or the permanent ones, as it says itself; it replaces
    /// one of the same name there.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn put(&self, path: &ObjectPath, object: Object) -> Result<(), PlanError> {
        if object.is_temporary() {
            self.write().temporary.insert(path.clone(), object);
            return Ok(());
        }
        self.of(path)?.put(&path.place.database, &path.name, object)
    }

    /// Removes the temporary or the permanent object of this name; false if there was none.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn remove(&self, path: &ObjectPath, temporary: bool) -> Result<bool, PlanError> {
        if temporary {
            return Ok(self.write().temporary.remove(path).is_some());
        }
        self.of(path)?.remove(&path.place.database, &path.name)
    }

    /// The names of the functions that are found from a database without saying which, sorted.
    pub fn functions(&self, place: &Place) -> Vec<String> {
        let state = self.read();
        let mut names = match state.catalogs.get(&place.catalog) {
            Some(entry) => entry.catalog.functions(&place.database),
            None => Vec::new(),
        };
        let temporary = state.temporary_functions.keys();
        let temporary = temporary.filter(|path| path.place == *place);
        names.extend(temporary.map(|path| path.name.clone()));
        names.extend(state.system_functions.keys().cloned());
        names.sort();
        names.dedup();
        names
    }

    /// The temporary system function of this name, which is in lower case.
    pub(super) fn system_function(&self, name: &str) -> Option<Arc<SqlFunction>> {
        self.read().system_functions.get(name).cloned()
    }

    /// The temporary function of exactly this name.
    pub(super) fn temporary_function(&self, path: &ObjectPath) -> Option<Arc<SqlFunction>> {
        self.read().temporary_functions.get(path).cloned()
    }

    /// The permanent function of exactly this name.
    pub(super) fn permanent_function(&self, path: &ObjectPath) -> Option<Arc<SqlFunction>> {
        let entry = self.entry(&path.place.catalog)?;
        entry.catalog.function(&path.place.database, &path.name)
    }

    /// Stores a system function.
    pub(super) fn put_system_function(&self, name: &str, function: Arc<SqlFunction>) {
        let mut state = self.write();
        state.system_functions.insert(name.to_string(), function);
    }

    /// Removes a system function; false if there was none.
    pub(super) fn remove_system_function(&self, name: &str) -> bool {
        self.write().system_functions.remove(name).is_some()
    }

    /// Stores a function among the temporary or the permanent ones, as it says itself.
    pub(super) fn put_function(
        &self,
        path: &ObjectPath,
        function: Arc<SqlFunction>,
    ) -> Result<(), PlanError> {
        if function.temporary {
            let functions = &mut self.write().temporary_functions;
            functions.insert(path.clone(), function);
            return Ok(());
        }
        let catalog = self.of(path)?;
        catalog.put_function(&path.place.database, &path.name, function)
    }

    /// Removes the temporary or the permanent function of this name; false if there was none.
    pub(super) fn remove_function(
        &self,
        path: &ObjectPath,
        temporary: bool,
    ) -> Result<bool, PlanError> {
        if temporary {
            return Ok(self.write().temporary_functions.remove(path).is_some());
        }
        let catalog = self.of(path)?;
        catalog.remove_function(&path.place.database, &path.name)
    }

    /// The full names of all permanent objects.
    pub fn paths(&self) -> Vec<ObjectPath> {
        let mut paths = Vec::new();
        for (catalog, entry) in &self.read().catalogs {
            for database in entry.catalog.databases() {
                let names = entry.catalog.names(&database).into_iter();
                paths.extend(names.map(|name| ObjectPath {
                    place: Place {
                        catalog: catalog.clone(),
                        database: database.clone(),
                    },
                    name,
                }));
            }
        }
        paths
    }

    /// Has a database in a catalog that there is; false if there is no such catalog.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn make_place(&self, place: &Place) -> Result<bool, PlanError> {
        let Some(entry) = self.entry(&place.catalog) else {
            return Ok(false);
        };
        if entry.catalog.database(&place.database).is_none() {
            let database = super::Database::default();
            entry.catalog.put_database(&place.database, database)?;
        }
        Ok(true)
    }

    fn of(&self, path: &ObjectPath) -> Result<Arc<dyn Catalog>, PlanError> {
        match self.entry(&path.place.catalog) {
            Some(entry) => Ok(entry.catalog),
            None => Err(PlanError::internal(format!("{path} is in no catalog"))),
        }
    }
}
