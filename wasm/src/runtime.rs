//! What compiles and runs modules: one of it in a process.

use std::sync::OnceLock;
use std::time::Duration;

use wasmtime::{Config, Engine, EngineWeak};

use crate::error::{GuestError, Result};

/// How exactly the time of a call is limited.
pub(crate) const TICK: Duration = Duration::from_millis(10);
/// What nested calls of a guest may take of the stack of the thread that they run on, which expressions need too.
const STACK_BYTES: usize = 256 << 10;

/// The engine, made when the first module comes.
pub(crate) fn engine() -> Result<&'static Engine> {
    static ENGINE: OnceLock<Result<Engine>> = OnceLock::new();
    let engine = ENGINE.get_or_init(start);
    engine.as_ref().map_err(GuestError::clone)
}

fn start() -> Result<Engine> {
    let unusable = |what: String| {
        GuestError::new(format!(
            "WebAssembly modules cannot be run on this machine: {what}"
        ))
    };
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .max_wasm_stack(STACK_BYTES)
        // A result must be the same on every machine, and after a restart.
        .cranelift_nan_canonicalization(true)
        .wasm_relaxed_simd(false)
        .wasm_memory64(false)
        .wasm_multi_memory(false);
    let engine = Engine::new(&config).map_err(|error| unusable(error.to_string()))?;
    let ticking = engine.weak();
    std::thread::Builder::new()
        .name("wasm-time".to_string())
        .spawn(move || tick(&ticking))
        .map_err(|error| unusable(error.to_string()))?;
    Ok(engine)
}

/// Lets time pass for guests that run.
fn tick(engine: &EngineWeak) {
    loop {
        std::thread::sleep(TICK);
        match engine.upgrade() {
            Some(engine) => engine.increment_epoch(),
            None => return,
        }
    }
}
