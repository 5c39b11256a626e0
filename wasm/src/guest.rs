//! An instance of a module, with memory of its own and limits.

use std::time::Duration;

use arrow::array::ArrayRef;
use serde::{Deserialize, Serialize};
use wasmtime::{Instance, Memory, ResourceLimiter, Store, Trap, TypedFunc};

use crate::error::{GuestError, Result};
use crate::layout::{ALIGNMENT, Block};
use crate::module::{ALLOC, ERROR, FREE, MEMORY, Module};
use crate::read::{column, region};
use crate::runtime::{TICK, engine};
use crate::types::ValueType;

/// The most elements of all tables of an instance.
const TABLE_ELEMENTS: usize = 100_000;
/// The longest message of a guest that is shown.
const MESSAGE_BYTES: usize = 1_000;

/// What an instance may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Limits {
    /// Of memory, in bytes (`table.exec.udf.memory`).
    pub memory_bytes: u64,
    /// Of time for one batch, in milliseconds (`table.exec.udf.timeout`).
    pub timeout_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            memory_bytes: 64 << 20,
            timeout_ms: 10_000,
        }
    }
}

impl Limits {
    /// Blocks with more bytes come in parts.
    pub(crate) fn block_bytes(&self) -> usize {
        usize::try_from(self.memory_bytes / 4).unwrap_or(usize::MAX)
    }

    fn ticks(&self) -> u64 {
        let tick = u64::try_from(TICK.as_millis()).unwrap_or(1);
        // One more, since the first one may be about to pass.
        self.timeout_ms.div_ceil(tick) + 1
    }
}

/// Keeps count of what an instance asks for.
struct Limiter {
    memory_bytes: usize,
    refused: bool,
}

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let fits = desired <= self.memory_bytes;
        self.refused |= !fits;
        Ok(fits)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= TABLE_ELEMENTS)
    }

    fn instances(&self) -> usize {
        1
    }

    fn memories(&self) -> usize {
        1
    }
}

/// What a module exports a function as.
#[derive(Debug, Clone)]
pub(crate) struct Symbols {
    /// What gives results.
    pub(crate) function: String,
    /// What takes rows into states, in an aggregate.
    pub(crate) update: Option<String>,
}

/// An instance that can be called, by one thread at a time. After an error it is of no more use.
pub(crate) struct Guest {
    store: Store<Limiter>,
    limits: Limits,
    memory: Memory,
    alloc: TypedFunc<u32, u32>,
    free: Option<TypedFunc<(u32, u32), ()>>,
    error: Option<TypedFunc<(), u32>>,
    /// What a block becomes a column by.
    function: TypedFunc<u32, u32>,
    /// What takes rows into states, in an aggregate.
    update: Option<TypedFunc<(u32, u32), u32>>,
}

impl Guest {
    /// An instance of a module whose exports have been checked.
    pub(crate) fn new(module: &Module, symbols: &Symbols, limits: Limits) -> Result<Self> {
        let limiter = Limiter {
            memory_bytes: usize::try_from(limits.memory_bytes).unwrap_or(usize::MAX),
            refused: false,
        };
        let mut store = Store::new(engine()?, limiter);
        store.limiter(|limiter| limiter);
        store.set_epoch_deadline(limits.ticks());
        let instance = Instance::new(&mut store, module.compiled(), &[]);
        let instance = instance.map_err(|error| failure(&error, &store, limits))?;
        let missing = |name: &str| GuestError::new(format!("the module has no usable {name}"));
        let memory = instance.get_memory(&mut store, MEMORY);
        let function = |store: &mut Store<Limiter>, name: &str| {
            let found = instance.get_typed_func::<u32, u32>(store, name);
            found.map_err(|_| missing(name))
        };
        Ok(Guest {
            memory: memory.ok_or_else(|| missing(MEMORY))?,
            alloc: function(&mut store, ALLOC)?,
            function: function(&mut store, &symbols.function)?,
            update: match &symbols.update {
                Some(name) => {
                    let found = instance.get_typed_func(&mut store, name);
                    Some(found.map_err(|_| missing(name))?)
                }
                None => None,
            },
            free: instance.get_typed_func(&mut store, FREE).ok(),
            error: instance.get_typed_func(&mut store, ERROR).ok(),
            store,
            limits,
        })
    }

    /// Calls the function on the columns of a block; it gives a column of as many values.
    pub(crate) fn call(&mut self, block: &Block, result: &ValueType) -> Result<ArrayRef> {
        let (at, size) = self.write(block)?;
        let found = self.function.call(&mut self.store, at);
        self.take(found, (at, size), result, block.rows())
    }

    /// Calls the function that takes rows into the states of so many groups; it gives the new states.
    pub(crate) fn update(&mut self, block: &Block, groups: usize) -> Result<ArrayRef> {
        let (at, size) = self.write(block)?;
        let Some(update) = &self.update else {
            return Err(GuestError::new("it is no aggregate"));
        };
        // No more than there are rows, whose number fits.
        let count = u32::try_from(groups).unwrap_or(u32::MAX);
        let found = update.call(&mut self.store, (at, count));
        self.take(found, (at, size), &ValueType::Bytes, groups)
    }

    /// The column that a call has come to, whose block was at `block`.
    fn take(
        &mut self,
        found: wasmtime::Result<u32>,
        (at, size): (u32, u32),
        result: &ValueType,
        rows: usize,
    ) -> Result<ArrayRef> {
        let found = found.map_err(|error| failure(&error, &self.store, self.limits))?;
        if found == 0 {
            return Err(self.refusal());
        }
        let column = column(self.memory.data(&self.store), found, result, rows)?;
        if let Some(free) = &self.free {
            let freed = free.call(&mut self.store, (at, size));
            freed.map_err(|error| failure(&error, &self.store, self.limits))?;
        }
        Ok(column)
    }

    /// Begins a call, and puts its block into the guest's memory: address and size.
    fn write(&mut self, block: &Block) -> Result<(u32, u32)> {
        self.store.set_epoch_deadline(self.limits.ticks());
        self.store.data_mut().refused = false;
        let size = block.size();
        let asked = i32::try_from(size).ok().and_then(|s| u32::try_from(s).ok());
        let Some(asked) = asked else {
            return Err(GuestError::new(format!(
                "a row of {size} bytes does not fit into its memory"
            )));
        };
        let at = self.alloc.call(&mut self.store, asked);
        let at = at.map_err(|error| failure(&error, &self.store, self.limits))?;
        if at == 0 && self.store.data().refused {
            return Err(too_much_memory(self.limits));
        }
        let start = usize::try_from(at).unwrap_or(usize::MAX);
        let memory = self.memory.data_mut(&mut self.store);
        let bytes = memory.len();
        let end = start.checked_add(size);
        let room = end.and_then(|end| memory.get_mut(start..end));
        match room.filter(|_| start != 0 && start.is_multiple_of(ALIGNMENT)) {
            Some(room) => block.write(room, at),
            None => {
                return Err(GuestError::new(format!(
                    "{ALLOC}({size}) gave the address {start}, which has to be a multiple of {ALIGNMENT} and not 0, with \
                     {size} bytes of its memory of {bytes} behind it"
                )));
            }
        }
        Ok((at, asked))
    }

    /// What the guest says about a call without a result.
    fn refusal(&mut self) -> GuestError {
        let Some(error) = &self.error else {
            return GuestError::new("it gave no result")
                .hint(format!("a module can say why by exporting {ERROR}"));
        };
        let at = match error.call(&mut self.store, ()) {
            Ok(at) => at,
            Err(error) => return failure(&error, &self.store, self.limits),
        };
        let memory = self.memory.data(&self.store);
        let text = region(memory, at, 8, "error message").and_then(|pair| {
            let (words, _) = pair.as_chunks::<4>();
            let word = |index: usize| words.get(index).map_or(0, |word| u32::from_le_bytes(*word));
            let size = usize::try_from(word(1)).unwrap_or(usize::MAX);
            region(memory, word(0), size.min(MESSAGE_BYTES), "error message")
        });
        match text {
            Ok(text) => GuestError::new(String::from_utf8_lossy(text)),
            Err(error) => error,
        }
    }
}

fn too_much_memory(limits: Limits) -> GuestError {
    GuestError::new(format!(
        "it needs more than the {} bytes of memory that it may have",
        limits.memory_bytes
    ))
    .hint("SET 'table.exec.udf.memory' to more, if that is not a defect of the module")
}

/// What ended a call.
fn failure(error: &wasmtime::Error, store: &Store<Limiter>, limits: Limits) -> GuestError {
    let trap = error.downcast_ref::<Trap>();
    if trap == Some(&Trap::Interrupt) {
        let limit = Duration::from_millis(limits.timeout_ms);
        return GuestError::new(format!(
            "it has run for longer than the {limit:?} that a batch may take"
        ))
        .hint("SET 'table.exec.udf.timeout' to more, if that is not an endless loop");
    }
    if store.data().refused {
        return too_much_memory(limits);
    }
    match trap {
        Some(trap) => {
            let text = trap.to_string();
            let text = text.trim_start_matches("wasm trap: ");
            GuestError::new(format!("it was ended by a trap: {text}"))
        }
        None => GuestError::new(error.root_cause().to_string()),
    }
}
