//! From files to files: windows of events.

use std::path::{Path, PathBuf};

use super::Outside;
use super::events::{self, Events, Window};

const FILES: usize = 4;

/// Files in folders.
pub struct Files {
    folder: tempfile::TempDir,
    expected: Vec<Window>,
}

impl Files {
    pub fn new(events: Events) -> Self {
        let folder = tempfile::tempdir().unwrap();
        events.write_files(&folder.path().join("input"), FILES);
        Files {
            folder,
            expected: events.windows(),
        }
    }
}

impl Outside for Files {
    fn name(&self) -> &'static str {
        "files"
    }

    fn begin(&self, _round: &str, folder: &Path) -> String {
        format!(
            "{}
             CREATE TABLE windows (k INT, w TIMESTAMP(0), n BIGINT, s BIGINT)
             WITH ('connector' = 'filesystem', 'path' = '{}', 'format' = 'csv', 'csv.disable-quote-character' = 'true');
             {}
             INSERT INTO windows {};",
            events::table_of_files(&self.folder.path().join("input")),
            folder.join("out").display(),
            events::settings(100),
            events::windows_query("events"),
        )
    }

    fn check(&self, _round: &str, folder: &Path) -> Result<(), String> {
        let mut paths = Vec::new();
        levada_tests::case::walk(&folder.join("out"), &mut paths);
        let committed = |path: &PathBuf| {
            let name = path.file_name().unwrap().to_string_lossy();
            !name.starts_with('.') && !name.starts_with('_')
        };
        let mut found = Vec::new();
        for path in paths.into_iter().filter(committed) {
            let text = std::fs::read_to_string(path).unwrap();
            found.extend(text.lines().map(window));
        }
        events::compare("windows", found, &self.expected)
    }

    fn end(&self, _round: &str) {}

    fn restart(&self) -> Option<()> {
        None
    }
}

fn window(line: &str) -> Window {
    let cells: Vec<&str> = line.split(',').collect();
    let number = |cell: usize| -> usize {
        let number = cells.get(cell).and_then(|text| text.parse().ok());
        number.unwrap_or_else(|| panic!("'{line}' is no row"))
    };
    (number(0), events::second(cells[1]), number(2), number(3))
}
