//! A PostgreSQL server of a test's own, started by tests/support/postgres.sh and read by psql.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// A running server; it stops with this.
pub struct Server {
    folder: tempfile::TempDir,
    address: String,
}

impl Server {
    /// Starts one.
    #[allow(clippy::new_without_default)]
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // The server may run as another user, who must get to its data.
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o711);
        std::fs::set_permissions(folder.path(), open).unwrap();
        let mut server = Server {
            folder,
            address: String::new(),
        };
        server.address = server.tool("start", "").trim().to_string();
        server
    }

    /// A folder that goes with it.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The options of a table of the connector that is this table of the server; `more` follows.
    pub fn options(&self, table: &str, more: &str) -> String {
        let address = &self.address;
        format!(
            "WITH ('connector' = 'jdbc', 'url' = 'jdbc:postgresql://{address}', 'table-name' = '{table}', 'username' = 'levada'{more})"
        )
    }

    /// Runs SQL and returns what psql prints.
    pub fn sql(&self, sql: &str) -> String {
        self.tool("sql", sql)
    }

    /// The rows of a query, as psql prints their columns.
    pub fn rows<const N: usize>(&self, sql: &str) -> Vec<[String; N]> {
        let text = self.sql(sql);
        let row = |line: &str| {
            let cells: Vec<String> = line.split('|').map(str::to_string).collect();
            cells.try_into().unwrap_or_else(|_| panic!("{sql}: {line}"))
        };
        text.lines().map(row).collect()
    }

    /// Kills it and starts it again in the same place.
    pub fn restart(&self) {
        self.tool("kill", "");
        assert_eq!(self.tool("start", "").trim(), self.address);
    }

    fn tool(&self, what: &str, input: &str) -> String {
        let script = crate::workspace().join("tests/support/postgres.sh");
        let mut child = Command::new(script)
            .args([what, "--dir"])
            .arg(self.folder.path().join("server"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // What does not read is told nothing.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{what}: {input}: {error}");
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.tool("stop", "");
    }
}
