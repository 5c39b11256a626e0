//! CREATE FUNCTION and its kin: reads the module that one names.

use std::path::PathBuf;

use levada_language::{PlanError, PlanErrorKind};
use levada_planner::catalog::MAX_MODULE_BYTES;
use levada_planner::parser::{DefineFunction, ModuleBody};
use tokio::io::AsyncReadExt as _;

use super::Session;
use crate::error::Result;
use crate::outcome::Outcome;

impl Session {
    pub(super) async fn define_function(&self, define: &DefineFunction) -> Result<Outcome> {
        let module = match define.module() {
            Some(module) => Some(read(module).await?),
            None => None,
        };
        let configuration = &self.configuration;
        let said = self
            .planning
            .define_function(define, module.as_deref(), configuration)?;
        Ok(Outcome::Ok(said))
    }
}

/// The bytes of a module; some more than are allowed if it is too large.
async fn read(module: &ModuleBody) -> Result<Vec<u8>> {
    let path = local(module)?;
    let refused = |error: std::io::Error| {
        PlanError::new(
            PlanErrorKind::InvalidStatement,
            format!("the module {} cannot be read: {error}", module.path),
        )
        .hint("the file is read once, where the session runs; jobs carry it to their workers")
        .at(Some(module.location))
    };
    let file = tokio::fs::File::open(&path).await.map_err(refused)?;
    let mut bytes = Vec::new();
    let most = MAX_MODULE_BYTES as u64 + 1;
    let read = file.take(most).read_to_end(&mut bytes).await;
    read.map_err(refused)?;
    Ok(bytes)
}

/// The path of a local file, written as such or as a URL.
fn local(module: &ModuleBody) -> Result<PathBuf> {
    let path = &module.path;
    if !path.contains("://") {
        return Ok(PathBuf::from(path));
    }
    match url::Url::parse(path).map(|url| url.to_file_path()) {
        Ok(Ok(path)) => Ok(path),
        _ => Err(
            PlanError::unsupported(format!("a module at {path}"), Some(module.location))
                .hint("use a local path or a 'file:///…' URL")
                .into(),
        ),
    }
}
