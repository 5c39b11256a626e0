//! Finding the files of a table.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use regex::Regex;

use levada_engine::{EngineError, Result};

/// Folders deeper than this are taken for a cycle of symbolic links.
const MAX_DEPTH: usize = 64;

/// A file to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// The absolute path, which names the split.
    pub path: Arc<str>,
    pub size: u64,
    /// Milliseconds since the epoch.
    pub modified_ms: i64,
}

/// All files under `root` (a file, a folder, or a pattern with `*`, `?` and `[…]`) in the order of
/// their paths. Names that begin with a dot or an underscore are hidden.
pub(super) fn list(root: &Path, pattern: Option<&Regex>) -> Result<Vec<Found>> {
    let mut found = Vec::new();
    match fs::metadata(root) {
        Ok(metadata) if metadata.is_dir() => walk(root, 0, &mut found)?,
        Ok(metadata) => push(root, &metadata, &mut found)?,
        Err(e) if e.kind() == io::ErrorKind::NotFound && is_pattern(root) => {
            expand(root, &mut found)?;
        }
        Err(e) => return Err(unreadable(root, &e)),
    }
    if let Some(pattern) = pattern {
        found.retain(|file| pattern.is_match(&file.path));
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found.dedup_by(|a, b| a.path == b.path);
    Ok(found)
}

fn walk(folder: &Path, depth: usize, found: &mut Vec<Found>) -> Result<()> {
    if depth > MAX_DEPTH {
        return Err(EngineError::config(format!(
            "the folder '{}' is nested more than {MAX_DEPTH} levels deep",
            folder.display()
        ))
        .with_hint("look for symbolic links that form a cycle"));
    }
    for entry in fs::read_dir(folder).map_err(|e| unreadable(folder, &e))? {
        let entry = entry.map_err(|e| unreadable(folder, &e))?;
        if is_hidden(&entry.file_name().to_string_lossy()) {
            continue;
        }
        let path = entry.path();
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => walk(&path, depth + 1, found)?,
            Ok(metadata) => push(&path, &metadata, found)?,
            // It went away since the folder was read.
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(unreadable(&path, &e)),
        }
    }
    Ok(())
}

fn push(path: &Path, metadata: &Metadata, found: &mut Vec<Found>) -> Result<()> {
    if !metadata.is_file() {
        return Ok(());
    }
    let text = path.to_str().ok_or_else(|| {
        EngineError::config(format!(
            "the name of the file '{}' is not valid UTF-8",
            path.display()
        ))
        .with_hint("rename it, or leave it out with 'source.path.regex-pattern'")
    })?;
    let modified = metadata.modified().ok();
    let since = modified.and_then(|m| m.duration_since(UNIX_EPOCH).ok());
    found.push(Found {
        path: text.into(),
        size: metadata.len(),
        modified_ms: since.map_or(0, |s| i64::try_from(s.as_millis()).unwrap_or(i64::MAX)),
    });
    Ok(())
}

fn is_pattern(path: &Path) -> bool {
    path.to_string_lossy().contains(['*', '?', '['])
}

fn expand(pattern: &Path, found: &mut Vec<Found>) -> Result<()> {
    let text = pattern.to_string_lossy();
    let options = glob::MatchOptions {
        case_sensitive: true,
        require_literal_separator: true,
        require_literal_leading_dot: true,
    };
    let matches = glob::glob_with(&text, options).map_err(|e| {
        EngineError::config(format!(
            "the path '{text}' is not a valid pattern: {}",
            e.msg
        ))
    })?;
    let literal = literal_components(pattern);
    let before = found.len();
    for path in matches {
        let path = path.map_err(|e| unreadable(e.path(), e.error()))?;
        let hidden = path.components().skip(literal).any(is_hidden_component);
        match fs::metadata(&path) {
            _ if hidden => {}
            Ok(metadata) if metadata.is_dir() => walk(&path, 0, found)?,
            Ok(metadata) => push(&path, &metadata, found)?,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(unreadable(&path, &e)),
        }
    }
    if found.len() == before && !parent_exists(pattern, literal) {
        return Err(
            EngineError::config(format!("no file matches the path '{text}'"))
                .with_hint("the folder in front of the pattern does not exist"),
        );
    }
    Ok(())
}

/// How many components stand in front of the first one with a wildcard.
fn literal_components(pattern: &Path) -> usize {
    pattern
        .components()
        .take_while(|c| !is_pattern(Path::new(c.as_os_str())))
        .count()
}

fn parent_exists(pattern: &Path, literal: usize) -> bool {
    let parent: PathBuf = pattern.components().take(literal).collect();
    parent.is_dir()
}

fn is_hidden_component(component: Component<'_>) -> bool {
    is_hidden(&component.as_os_str().to_string_lossy())
}

/// Dots and underscores hide a name, except for the folder of a column (`_day=1`).
fn is_hidden(name: &str) -> bool {
    name.starts_with('.') || (name.starts_with('_') && !name.contains('='))
}

fn unreadable(path: &Path, error: &io::Error) -> EngineError {
    let path = path.display();
    match error.kind() {
        io::ErrorKind::NotFound => EngineError::config(format!("the path '{path}' does not exist"))
            .with_hint("check the option 'path'"),
        io::ErrorKind::PermissionDenied => {
            EngineError::config(format!("the path '{path}' may not be read"))
                .with_hint("give the process the right to read it")
        }
        _ => EngineError::config(format!("the path '{path}' cannot be read: {error}")),
    }
}
