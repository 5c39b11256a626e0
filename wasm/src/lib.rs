//! Functions of one's own as WebAssembly modules over Arrow columns.
//!
//! ```text
//!   bytes ──module──▶ compiled module ──guest──▶ instance with memory of its own
//!                                                   ▲               │
//!   Arrow columns ──layout──▶ block in its memory ──┘  one call     └──▶ column ──read──▶ Arrow column
//! ```
//!
//! A [`Module`] is compiled once per process. [`guest`] is an instance of it: what it may use is limited, and it
//! can reach nothing but its own memory. [`layout`] writes columns into that memory, and [`read`] takes a column out of
//! it, believing nothing. [`ScalarFunction`] is that as a function of DataFusion, which streams and batch mode call
//! alike; a [`Declaration`] is what travels of it in a job graph, beside the bytes of the module.
//!
//! What a guest sees byte by byte is in docs/wasm.md.

mod aggregate;
mod error;
mod guest;
mod layout;
mod module;
mod read;
mod runtime;
mod scalar;
#[cfg(test)]
mod tests;
mod types;

pub use error::GuestError;
pub use guest::Limits;
pub use module::{MAX_MODULE_BYTES, Module, Modules};
pub use scalar::{Declaration, Kind, ScalarFunction};
pub use types::{SUPPORTED, ValueType};
