//! A catalog in the memory of one process.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::{Catalog, Database, Object, SqlFunction};
use levada_language::error::PlanError;

/// Databases, tables and views that live as long as this value.
#[derive(Debug, Default)]
pub struct MemoryCatalog {
    databases: RwLock<BTreeMap<String, Contents>>,
}

#[derive(Debug, Default)]
struct Contents {
    database: Database,
    objects: BTreeMap<String, Object>,
    functions: BTreeMap<String, Arc<SqlFunction>>,
}

impl MemoryCatalog {
    /// A catalog with one database, which is empty.
    pub fn with_database(name: &str) -> Self {
        let databases = BTreeMap::from([(name.to_string(), Contents::default())]);
        MemoryCatalog {
            databases: RwLock::new(databases),
        }
    }

    // A writer that panicked left the maps whole: every change is one insert or remove.
    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<String, Contents>> {
        self.databases
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, BTreeMap<String, Contents>> {
        self.databases
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Catalog for MemoryCatalog {
    fn databases(&self) -> Vec<String> {
        self.read().keys().cloned().collect()
    }

    fn database(&self, name: &str) -> Option<Database> {
        self.read().get(name).map(|found| found.database.clone())
    }

    fn put_database(&self, name: &str, database: Database) -> Result<(), PlanError> {
        self.write().entry(name.to_string()).or_default().database = database;
        Ok(())
    }

    fn remove_database(&self, name: &str) -> Result<bool, PlanError> {
        Ok(self.write().remove(name).is_some())
    }

    fn names(&self, database: &str) -> Vec<String> {
        let databases = self.read();
        let found = databases.get(database);
        found.map_or_else(Vec::new, |found| found.objects.keys().cloned().collect())
    }

    fn get(&self, database: &str, name: &str) -> Option<Object> {
        self.read().get(database)?.objects.get(name).cloned()
    }

    fn put(&self, database: &str, name: &str, object: Object) -> Result<(), PlanError> {
        match self.write().get_mut(database) {
            Some(found) => {
                found.objects.insert(name.to_string(), object);
                Ok(())
            }
            None => Err(PlanError::internal(format!(
                "{name} has no database {database} to be in"
            ))),
        }
    }

    fn remove(&self, database: &str, name: &str) -> Result<bool, PlanError> {
        let mut databases = self.write();
        let found = databases.get_mut(database);
        Ok(found.is_some_and(|found| found.objects.remove(name).is_some()))
    }

    fn functions(&self, database: &str) -> Vec<String> {
        let databases = self.read();
        let found = databases.get(database);
        found.map_or_else(Vec::new, |found| found.functions.keys().cloned().collect())
    }

    fn function(&self, database: &str, name: &str) -> Option<Arc<SqlFunction>> {
        self.read().get(database)?.functions.get(name).cloned()
    }

    fn put_function(
        &self,
        database: &str,
        name: &str,
        function: Arc<SqlFunction>,
    ) -> Result<(), PlanError> {
        match self.write().get_mut(database) {
            Some(found) => {
                found.functions.insert(name.to_string(), function);
                Ok(())
            }
            None => Err(PlanError::internal(format!(
                "{name} has no database {database} to be in"
            ))),
        }
    }

    fn remove_function(&self, database: &str, name: &str) -> Result<bool, PlanError> {
        let mut databases = self.write();
        let found = databases.get_mut(database);
        Ok(found.is_some_and(|found| found.functions.remove(name).is_some()))
    }
}
