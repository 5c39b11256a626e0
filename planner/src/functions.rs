//! Scalar functions that DataFusion lacks or reads otherwise than this dialect.

pub mod window;
