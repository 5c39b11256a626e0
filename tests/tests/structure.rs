//! The house stands as it is drawn: arrows between crates and modules, the sizes of functions and
//! files, one version of the libraries whose types cross crates, no panics outside tests.
//!
//! Where something is over its limit already it is listed with its size; the lists may only shrink.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const CRATES: [&str; 9] = [
    "wasm",
    "engine",
    "language",
    "planner",
    "connectors",
    "gateway",
    "sql-cli",
    "tests",
    "benchmarks",
];

/// Lines of a function, from its signature to its closing brace.
const FUNCTION_LINES: usize = 75;
/// Lines of a file; tests in a file of their own may be longer.
const FILE_LINES: usize = 620;
const TEST_FILE_LINES: usize = 900;

/// `path: lines` of what was over the limit when the limit came.
const LONG_FILES: &[(&str, usize)] = &[];
/// `path function: lines`.
const LONG_FUNCTIONS: &[(&str, &str, usize)] = &[
    ("connectors/src/format/csv/value.rs", "push", 81),
    ("engine/src/coordinator/metrics_page.rs", "render", 80),
    ("engine/src/subtask/snapshot.rs", "upload", 77),
];
/// `path: how many` of what panics outside tests.
const PANICS: &[(&str, usize)] = &[];

fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap().to_path_buf()
}

/// All Rust files of a folder, as path below the workspace and text.
fn sources(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    walk(&root().join(folder), &mut found);
    found.sort();
    found
}

fn walk(folder: &Path, into: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "target") {
                walk(&path, into);
            }
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let below = path.strip_prefix(root()).unwrap().display().to_string();
            into.push((below, std::fs::read_to_string(&path).unwrap()));
        }
    }
}

/// Whether a file is test code as a whole.
fn is_test(path: &str) -> bool {
    path.starts_with("tests/")
        || path.contains("/tests/")
        || path.contains("/examples/")
        || path.contains("/benches/")
        || ["/tests.rs", "/fixture.rs"]
            .iter()
            .any(|end| path.ends_with(end))
        || path.contains("/testing/")
        || path.contains("/testing.rs")
}

#[test]
fn crates_use_only_what_the_arrows_allow() {
    let allowed: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("wasm", [].as_slice()),
        ("engine", &["levada-wasm"]),
        ("language", &[]),
        (
            "planner",
            &["levada-engine", "levada-language", "levada-wasm"],
        ),
        ("connectors", &["levada-engine"]),
        (
            "gateway",
            &[
                "levada-engine",
                "levada-language",
                "levada-planner",
                "levada-connectors",
            ],
        ),
        (
            "sql-cli",
            &[
                "levada-engine",
                "levada-language",
                "levada-planner",
                "levada-connectors",
                "levada-gateway",
            ],
        ),
    ]);
    let mut wrong = Vec::new();
    for (folder, allowed) in allowed {
        let manifest = std::fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
        for line in manifest.lines().filter(|line| line.starts_with("levada-")) {
            let name = line.split(['.', ' ', '=']).next().unwrap();
            if !allowed.contains(&name) {
                wrong.push(format!("{folder} uses {name}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn nothing_uses_tests_and_benchmarks() {
    for folder in CRATES {
        let manifest = std::fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
        for name in ["levada-tests", "levada-bench"] {
            let used = manifest.lines().any(|line| line.starts_with(name));
            assert!(!used, "{folder} uses {name}");
        }
    }
}

/// The engine's modules from the ground up; a module may use those of its own row and of the rows
/// before it.
const ENGINE: &[&[&str]] = &[
    &[
        "error",
        "element",
        "failpoint",
        "time",
        "key",
        "memory",
        "metrics",
    ],
    &["expression", "graph", "connector", "state"],
    &["operator"],
    &["exchange", "checkpoint"],
    &["client"],
    &["subtask"],
    &["control"],
    &["worker", "coordinator"],
    &["cluster"],
];

#[test]
fn engine_modules_use_only_what_is_below_them() {
    let row = |module: &str| ENGINE.iter().position(|row| row.contains(&module));
    let mut wrong = BTreeSet::new();
    for (path, text) in sources("engine/src") {
        let inside = path.strip_prefix("engine/src/").unwrap();
        let module = inside.split(['/', '.']).next().unwrap();
        if is_test(&path) || module == "lib" {
            continue;
        }
        let own = row(module).unwrap_or_else(|| panic!("where does engine/{module} stand?"));
        for used in crate_modules(&code(&text)) {
            // A name that is re-exported by the crate's root begins with a capital or is no module.
            let Some(other) = row(&used) else { continue };
            if other > own {
                wrong.insert(format!("{module} uses {used} ({path})"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The first part of every path that begins with `crate::`, also in `use crate::{a, b::c}`.
fn crate_modules(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices("crate::") {
        let rest = &text[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            None => found.extend(first_name(rest)),
            Some(list) => {
                let mut depth = 0;
                let mut begins = true;
                for (position, letter) in list.char_indices() {
                    match letter {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => begins = true,
                        _ if begins && !letter.is_whitespace() => {
                            found.extend(first_name(&list[position..]));
                            begins = false;
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    found
}

fn first_name(text: &str) -> Option<String> {
    let name: String = text
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect();
    (!name.is_empty()).then_some(name)
}

#[test]
fn one_version_of_what_crosses_crates() {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut lines = lock.lines();
    while let Some(line) = lines.next() {
        let Some(name) = line.strip_prefix("name = ") else {
            continue;
        };
        let version = lines.next().unwrap_or_default();
        versions
            .entry(name.trim_matches('"'))
            .or_default()
            .push(version);
    }
    for name in ["arrow", "parquet", "datafusion", "object_store", "tonic"] {
        let found = versions.get(name).map(Vec::as_slice).unwrap_or_default();
        assert_eq!(found.len(), 1, "{name}: {found:?}");
    }
}

#[test]
fn files_keep_to_their_size() {
    let mut found = Vec::new();
    for (path, text) in CRATES.iter().flat_map(|folder| sources(folder)) {
        let limit = if is_test(&path) {
            TEST_FILE_LINES
        } else {
            FILE_LINES
        };
        let lines = text.lines().count();
        let listed = LONG_FILES.iter().find(|(known, _)| *known == path);
        match listed {
            Some((_, known)) if lines > *known => {
                found.push(format!("{path} has grown from {known} to {lines} lines"));
            }
            Some((_, known)) if lines <= limit || lines < *known => {
                found.push(format!(
                    "{path} has shrunk to {lines} lines: correct the list"
                ));
            }
            None if lines > limit => found.push(format!("{path}: {lines} lines")),
            _ => {}
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn functions_keep_to_their_size() {
    let mut found = Vec::new();
    for (path, text) in CRATES.iter().flat_map(|folder| sources(folder)) {
        if is_test(&path) {
            continue;
        }
        for (name, lines) in functions(&code(&text)) {
            let listed = LONG_FUNCTIONS
                .iter()
                .find(|(p, n, _)| *p == path && *n == name);
            match listed {
                Some((_, _, known)) if lines > *known => {
                    found.push(format!(
                        "{path} {name} has grown from {known} to {lines} lines"
                    ));
                }
                None if lines > FUNCTION_LINES => {
                    found.push(format!("{path} {name}: {lines} lines"))
                }
                _ => {}
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

/// The functions of a file with their lines. Code is formatted, so the brace that closes a function
/// stands in the column of its `fn`'s line.
fn functions(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let trimmed = line.trim_start();
        let indent = line.len() - trimmed.len();
        let Some(name) = function_name(trimmed) else {
            continue;
        };
        let rest = lines.iter().enumerate().skip(start);
        let end = rest
            .map(|(at, line)| (at, *line))
            .find(|(at, line)| {
                let inner = line.trim_start();
                let closes = line.len() - inner.len() == indent && inner.starts_with('}');
                let declares = *at == start && (line.ends_with(';') || line.ends_with('}'));
                closes || declares || (line.len() - inner.len() == indent && inner.ends_with(';'))
            })
            .map_or(start, |(at, _)| at);
        found.push((name, end - start + 1));
    }
    found
}

fn function_name(line: &str) -> Option<String> {
    let mut rest = line;
    loop {
        if let Some(after) = rest.strip_prefix("fn ") {
            return first_name(after);
        }
        let word = rest.split(' ').next()?;
        let is_modifier = word.starts_with("pub") || ["const", "async", "unsafe"].contains(&word);
        if !is_modifier {
            return None;
        }
        rest = rest.get(word.len() + 1..)?;
    }
}

#[test]
fn nothing_panics_outside_tests() {
    let mut found = Vec::new();
    for (path, text) in CRATES.iter().flat_map(|folder| sources(folder)) {
        if is_test(&path) || path.starts_with("benchmarks/") || path.ends_with("build.rs") {
            continue;
        }
        let code = without_test_modules(&code(&text));
        let hits: Vec<String> = code
            .lines()
            .enumerate()
            // The parser has an `expect` of its own, which returns an error.
            .map(|(number, line)| (number, line.replace("self.expect(", "")))
            .filter(|(_, line)| PANICKING.iter().any(|word| line.contains(word)))
            .map(|(number, line)| format!("{path}:{}: {}", number + 1, line.trim()))
            .collect();
        let known = PANICS
            .iter()
            .find(|(known, _)| *known == path)
            .map_or(0, |(_, n)| *n);
        if hits.len() > known {
            found.extend(hits);
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

const PANICKING: [&str; 8] = [
    ".unwrap()",
    ".expect(",
    "panic!(",
    "todo!(",
    "unimplemented!(",
    "unreachable!(",
    "dbg!(",
    ".unwrap_err()",
];

/// Inline `#[cfg(test)]` items, blanked.
fn without_test_modules(code: &str) -> String {
    let mut kept = Vec::new();
    let mut skip_to: Option<usize> = None;
    let mut pending = false;
    for line in code.lines() {
        let indent = line.len() - line.trim_start().len();
        if let Some(level) = skip_to {
            if indent == level && line.trim_start().starts_with('}') {
                skip_to = None;
            }
            kept.push("");
            continue;
        }
        if line.trim() == "#[cfg(test)]" {
            pending = true;
            kept.push("");
        } else if pending && line.trim_start().starts_with("#[") {
            kept.push("");
        } else if pending {
            pending = false;
            if !line.trim_end().ends_with(';') && !line.trim_end().ends_with('}') {
                skip_to = Some(indent);
            }
            kept.push("");
        } else {
            kept.push(line);
        }
    }
    kept.join("\n")
}

/// The text without comments and without what stands in literals, line by line.
fn code(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let letters: Vec<char> = text.chars().collect();
    let mut at = 0;
    while at < letters.len() {
        at = match (letters[at], letters.get(at + 1)) {
            ('/', Some('/')) => skip_line(&letters, at),
            ('/', Some('*')) => skip_block(&letters, at, &mut out),
            ('"', _) => skip_text(&letters, at, &mut out),
            ('r', Some('"' | '#')) if !follows_name(&letters, at) => {
                skip_raw(&letters, at, &mut out)
            }
            ('\'', _) => skip_letter(&letters, at, &mut out),
            (letter, _) => {
                out.push(letter);
                at + 1
            }
        };
    }
    out
}

fn follows_name(letters: &[char], at: usize) -> bool {
    at > 0 && (letters[at - 1].is_alphanumeric() || letters[at - 1] == '_')
}

fn skip_line(letters: &[char], at: usize) -> usize {
    let end = letters[at..].iter().position(|c| *c == '\n');
    end.map_or(letters.len(), |length| at + length)
}

fn skip_block(letters: &[char], at: usize, out: &mut String) -> usize {
    let mut end = at + 2;
    while end < letters.len() && !(letters[end - 1] == '*' && letters[end] == '/' && end > at + 2) {
        end += 1;
    }
    keep_lines(&letters[at..end.min(letters.len())], out);
    end + 1
}

fn skip_text(letters: &[char], at: usize, out: &mut String) -> usize {
    let mut end = at + 1;
    while end < letters.len() && letters[end] != '"' {
        end += if letters[end] == '\\' { 2 } else { 1 };
    }
    out.push('"');
    keep_lines(&letters[at..end.min(letters.len())], out);
    out.push('"');
    end + 1
}

fn skip_raw(letters: &[char], at: usize, out: &mut String) -> usize {
    let hashes = letters[at + 1..].iter().take_while(|c| **c == '#').count();
    let open = at + 1 + hashes;
    if letters.get(open) != Some(&'"') {
        out.push('r');
        return at + 1;
    }
    let mut end = open + 1;
    let closes = |end: usize| {
        letters[end] == '"' && (1..=hashes).all(|n| letters.get(end + n) == Some(&'#'))
    };
    while end < letters.len() && !closes(end) {
        end += 1;
    }
    out.push('"');
    keep_lines(&letters[at..end.min(letters.len())], out);
    out.push('"');
    end + 1 + hashes
}

/// A character literal, or a lifetime, which is left alone.
fn skip_letter(letters: &[char], at: usize, out: &mut String) -> usize {
    if letters.get(at + 1) == Some(&'\\') {
        let end = (at + 3..letters.len()).find(|end| letters[*end] == '\'');
        out.push_str("''");
        return end.map_or(letters.len(), |end| end + 1);
    }
    if letters.get(at + 2) == Some(&'\'') {
        out.push_str("''");
        return at + 3;
    }
    out.push('\'');
    at + 1
}

fn keep_lines(skipped: &[char], out: &mut String) {
    out.extend(skipped.iter().filter(|c| **c == '\n'));
}

#[test]
fn the_reader_of_code_reads_code() {
    let text = "fn a() {\n    // .unwrap()\n    b(\".unwrap() {\", '\"', 'x');\n}\nfn c<'a>() {}\n";
    let cleaned = code(text);
    assert!(!cleaned.contains("unwrap"), "{cleaned}");
    assert_eq!(
        functions(&cleaned),
        [("a".to_string(), 4), ("c".to_string(), 1)]
    );
    let used = crate_modules("use crate::{graph::{A, B}, time::C};\nlet x = crate::state::d();");
    assert_eq!(
        used.into_iter().collect::<Vec<_>>(),
        ["graph", "state", "time"]
    );
    let rest = without_test_modules("a\n#[cfg(test)]\nmod tests {\n    b.unwrap()\n}\nc\n");
    assert!(!rest.contains("unwrap") && rest.ends_with('c'), "{rest}");
}
