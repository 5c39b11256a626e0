//! A catalog in the memory of one process.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use super::{Catalog, Object};
use levada_language::error::PlanError;

/// Tables and views that live as long as this value.
#[derive(Debug, Default)]
pub struct MemoryCatalog {
    objects: RwLock<BTreeMap<String, Object>>,
}

impl MemoryCatalog {
    /// An empty catalog.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Catalog for MemoryCatalog {
    fn get(&self, name: &str) -> Option<Object> {
        // A writer that panicked left the map whole: every change is one insert or remove.
        let objects = self.objects.read().unwrap_or_else(PoisonError::into_inner);
        objects.get(name).cloned()
    }

    fn names(&self) -> Vec<String> {
        let objects = self.objects.read().unwrap_or_else(PoisonError::into_inner);
        objects.keys().cloned().collect()
    }

    fn put(&self, name: &str, object: Object) -> Result<(), PlanError> {
        let mut objects = self.objects.write().unwrap_or_else(PoisonError::into_inner);
        objects.insert(name.to_string(), object);
        Ok(())
    }

    fn remove(&self, name: &str) -> Result<bool, PlanError> {
        let mut objects = self.objects.write().unwrap_or_else(PoisonError::into_inner);
        Ok(objects.remove(name).is_some())
    }
}
