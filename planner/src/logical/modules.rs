//! Functions of WebAssembly modules, as queries find them.
//!
//! A call is resolved to a function when the query is read, by a name that says what the function is: its module, its
//! export and its types. So a computed column or a view that was resolved once keeps its function, whatever is
//! created under the same name later.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use datafusion::logical_expr::ScalarUDF;
use levada_wasm::{
    Declaration, GuestError, Kind, Limits, Module, Modules, ScalarFunction, ValueType,
};
use xxhash_rust::xxh3::xxh3_64;

/// A function of a module.
#[derive(Debug, Clone)]
pub struct ModuleFunction {
    /// What it is called in messages.
    pub name: String,
    /// Whether it is of one row or of the rows of a group.
    pub kind: Kind,
    /// What the module exports it as.
    pub symbol: String,
    /// The types of its parameters.
    pub parameters: Vec<ValueType>,
    /// The type of its result.
    pub returns: ValueType,
    /// The module.
    pub module: Arc<Module>,
}

impl ModuleFunction {
    fn declaration(&self, limits: Limits) -> Declaration {
        Declaration {
            name: self.name.clone(),
            kind: self.kind,
            module: self.module.hash().to_string(),
            symbol: self.symbol.clone(),
            parameters: self.parameters.clone(),
            returns: self.returns.clone(),
            limits,
        }
    }

    /// The name by which queries call it: another for each that is another function.
    fn called(&self) -> String {
        let declared = format!("{:?}", self.declaration(Limits::default()));
        format!("{}@{:016x}", self.name, xxh3_64(declared.as_bytes()))
    }

    fn function(&self, limits: Limits) -> Result<ScalarFunction, GuestError> {
        ScalarFunction::new(self.declaration(limits), Arc::clone(&self.module))
    }
}

/// All functions of modules that a process has come to know. Those that were dropped stay, since something may have
/// been made with them.
#[derive(Debug, Default)]
pub(super) struct ModuleFunctions {
    known: RwLock<BTreeMap<String, ModuleFunction>>,
}

impl ModuleFunctions {
    /// Adds a function, and says what queries call it as.
    pub(super) fn add(
        &self,
        function: ModuleFunction,
        limits: Limits,
    ) -> Result<String, GuestError> {
        function.function(limits)?.try_out()?;
        let called = function.called();
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(called.clone(), function);
        Ok(called)
    }

    /// The function of this name.
    pub(super) fn scalar(&self, called: &str, limits: Limits) -> Option<Arc<ScalarUDF>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let function = known.get(called)?.function(limits).ok()?;
        Some(Arc::new(function.into_udf()))
    }

    /// All modules.
    pub(super) fn modules(&self) -> Modules {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let modules = known.values().map(|function| Arc::clone(&function.module));
        modules.collect()
    }
}
