//! Golden files: each `golden/NAME.sql` is a script, and `NAME.txt` what its EXPLAINs say.
//!
//! After a deliberate change, run with `UPDATE_GOLDEN=1` and read the difference.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};

use crate::fixture::Session;

fn scripts() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/explain/golden");
    let mut scripts: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "sql"))
        .collect();
    scripts.sort();
    scripts
}

#[test]
fn plans_are_as_the_golden_files_say() {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut different = Vec::new();
    let scripts = scripts();
    assert!(!scripts.is_empty());
    for path in scripts {
        let script = std::fs::read_to_string(&path).unwrap();
        let found = match Session::new().run(&script) {
            Ok(text) => text,
            Err(error) => error.render(&script),
        };
        let golden = path.with_extension("txt");
        if update {
            std::fs::write(&golden, format!("{found}\n")).unwrap();
            continue;
        }
        let wanted = std::fs::read_to_string(&golden).unwrap_or_default();
        if wanted.trim_end() != found.trim_end() {
            different.push(format!("{}:\n{found}", path.display()));
        }
    }
    assert!(
        different.is_empty(),
        "plans changed:\n{}",
        different.join("\n\n")
    );
}
