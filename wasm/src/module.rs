//! Modules: their bytes, what they export, and which are there.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use sha2::{Digest, Sha256};
use wasmtime::{ExternType, FuncType, ValType};

use crate::error::{GuestError, Result};
use crate::runtime;

/// The largest module that is taken.
pub const MAX_MODULE_BYTES: usize = 8 << 20;

/// What a guest's memory is called.
pub(crate) const MEMORY: &str = "memory";
/// What gives room in a guest's memory.
pub(crate) const ALLOC: &str = "levada_alloc";
/// What takes the room back, if the guest wants to know.
pub(crate) const FREE: &str = "levada_free";
/// What says why a call gave no result, if the guest does.
pub(crate) const ERROR: &str = "levada_error";

/// A compiled module.
pub struct Module {
    hash: String,
    bytes: Arc<[u8]>,
    compiled: wasmtime::Module,
}

impl fmt::Debug for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Module").field("hash", &self.hash).finish()
    }
}

impl Module {
    /// Compiles a module, or finds it if this process has compiled it already and still uses it.
    ///
    /// # Errors
    /// It is no module, or one that needs something of its surroundings.
    pub fn compile(bytes: &[u8]) -> Result<Arc<Self>> {
        static COMPILED: OnceLock<Mutex<HashMap<String, Weak<Module>>>> = OnceLock::new();
        if bytes.len() > MAX_MODULE_BYTES {
            return Err(GuestError::new(format!(
                "the module has {} bytes, and {MAX_MODULE_BYTES} are the most",
                bytes.len()
            ))
            .hint("strip it of names and debug information, for instance with wasm-opt -Oz"));
        }
        let hash = hash(bytes);
        let known = COMPILED.get_or_init(Mutex::default);
        let find = || {
            let known = known.lock().unwrap_or_else(PoisonError::into_inner);
            known.get(&hash).and_then(Weak::upgrade)
        };
        if let Some(module) = find() {
            return Ok(module);
        }
        let module = Arc::new(Module {
            compiled: compile(bytes)?,
            hash: hash.clone(),
            bytes: bytes.into(),
        });
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, module| module.strong_count() > 0);
        known.insert(hash, Arc::downgrade(&module));
        Ok(module)
    }

    /// The SHA-256 of its bytes, in hexadecimal digits.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The module as it came.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn compiled(&self) -> &wasmtime::Module {
        &self.compiled
    }

    /// Checks that the module exports what every call needs, and functions of these names that take so many numbers and
    /// give one.
    ///
    /// # Errors
    /// An export is missing or of another type, with the exports that there are.
    pub fn check(&self, symbols: &[(&str, usize)]) -> Result<()> {
        match self.compiled.get_export(MEMORY) {
            Some(ExternType::Memory(_)) => {}
            _ => {
                return Err(GuestError::new(format!(
                    "the module does not export its memory as \"{MEMORY}\""
                ))
                .hint("in WAT: (memory (export \"memory\") 1); compilers do it for a cdylib"));
            }
        }
        self.function(ALLOC, 1, 1)?;
        for (symbol, parameters) in symbols {
            self.function(symbol, *parameters, 1)?;
        }
        for (name, parameters, results) in [(FREE, 2, 0), (ERROR, 0, 1)] {
            if self.compiled.get_export(name).is_some() {
                self.function(name, parameters, results)?;
            }
        }
        Ok(())
    }

    fn function(&self, name: &str, parameters: usize, results: usize) -> Result<()> {
        let wanted = shown(parameters, results);
        let found = match self.compiled.get_export(name) {
            Some(ExternType::Func(function)) => function,
            Some(_) => {
                return Err(GuestError::new(format!(
                    "the module's export {name} is no function"
                )));
            }
            None => {
                let error = GuestError::new(format!("the module exports no function {name}"));
                return Err(error.hint(self.exported(&wanted)));
            }
        };
        let all = |mut types: Box<dyn Iterator<Item = ValType> + '_>, count: usize| {
            types.by_ref().take(count).filter(ValType::is_i32).count() == count
                && types.next().is_none()
        };
        match all(Box::new(found.params()), parameters) && all(Box::new(found.results()), results) {
            true => Ok(()),
            false => Err(GuestError::new(format!(
                "the module's function {name} is {}, and has to be {wanted}",
                signature(&found)
            ))),
        }
    }

    fn exported(&self, wanted: &str) -> String {
        let functions = self.compiled.exports();
        let functions = functions.filter(|export| matches!(export.ty(), ExternType::Func(_)));
        let names: Vec<String> = functions.map(|export| export.name().to_string()).collect();
        match names.is_empty() {
            true => format!("it exports no function at all; the function has to be {wanted}"),
            false => format!(
                "it exports {}; the function has to be {wanted}",
                names.join(", ")
            ),
        }
    }
}

fn shown(parameters: usize, results: usize) -> String {
    let list = |count: usize| vec!["i32"; count].join(", ");
    format!("({}) -> ({})", list(parameters), list(results))
}

fn signature(function: &FuncType) -> String {
    let list = |types: Vec<String>| types.join(", ");
    let parameters = function.params().map(|one| one.to_string()).collect();
    let results = function.results().map(|one| one.to_string()).collect();
    format!("({}) -> ({})", list(parameters), list(results))
}

fn hash(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn compile(bytes: &[u8]) -> Result<wasmtime::Module> {
    if !bytes.starts_with(b"\0asm") {
        return Err(GuestError::new("the file is no WebAssembly module")
            .hint("a module begins with the bytes 00 61 73 6D; wat2wasm makes one of a text"));
    }
    let compiled = wasmtime::Module::from_binary(runtime::engine()?, bytes).map_err(|error| {
        GuestError::new(format!("the module is not valid: {}", error.root_cause()))
    })?;
    let import = compiled
        .imports()
        .next()
        .map(|import| format!("{}.{}", import.module(), import.name()));
    match import {
        None => Ok(compiled),
        Some(import) => Err(GuestError::new(format!(
            "the module imports {import}, and functions get nothing of their surroundings"
        ))
        .hint(
            "no clock, no randomness, no files: compile for wasm32-unknown-unknown and not for WASI, without \
             what needs imports",
        )),
    }
}

impl FromIterator<Arc<Module>> for Modules {
    fn from_iter<I: IntoIterator<Item = Arc<Module>>>(modules: I) -> Self {
        let known = modules.into_iter();
        Modules {
            known: known.map(|module| (module.hash.clone(), module)).collect(),
        }
    }
}

/// The modules of a job by their hashes.
#[derive(Debug, Default)]
pub struct Modules {
    known: BTreeMap<String, Arc<Module>>,
}

impl Modules {
    /// Modules of these bytes.
    ///
    /// # Errors
    /// One of them is no module.
    pub fn compile<'a>(modules: impl IntoIterator<Item = &'a [u8]>) -> Result<Self> {
        let mut known = BTreeMap::new();
        for bytes in modules {
            let module = Module::compile(bytes)?;
            known.insert(module.hash.clone(), module);
        }
        Ok(Modules { known })
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// The module with this hash.
    pub fn get(&self, hash: &str) -> Option<&Arc<Module>> {
        self.known.get(hash)
    }
}
