//! The interactive shell, on a pseudo terminal.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use nix::pty::{Winsize, openpty};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::process::LIMIT;

/// A shell and the keyboard and screen in front of it.
struct Terminal {
    child: Child,
    keyboard: File,
    screen: mpsc::Receiver<Vec<u8>>,
    /// Everything that was on the screen, since the last look.
    seen: String,
    _state: tempfile::TempDir,
}

impl Terminal {
    fn start(state: tempfile::TempDir) -> Self {
        let size = Winsize {
            ws_row: 40,
            ws_col: 120,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        let pty = openpty(Some(&size), None).unwrap();
        let stream = |fd: &OwnedFd| Stdio::from(fd.as_fd().try_clone_to_owned().unwrap());
        let child = Command::new(env!("CARGO_BIN_EXE_levada"))
            .arg("sql")
            .env("XDG_STATE_HOME", state.path())
            .env("TERM", "xterm")
            .env("NO_COLOR", "1")
            .stdin(stream(&pty.slave))
            .stdout(stream(&pty.slave))
            .stderr(stream(&pty.slave))
            .spawn()
            .unwrap();
        let mut output = File::from(pty.master.try_clone().unwrap());
        let (sender, screen) = mpsc::channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count) = output.read(&mut buffer) {
                if count == 0 || sender.send(buffer[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Terminal {
            child,
            keyboard: File::from(pty.master),
            screen,
            seen: String::new(),
            _state: state,
        }
    }

    /// Waits until a text has appeared since the last one that was waited for.
    #[track_caller]
    fn expect(&mut self, text: &str) -> String {
        let begin = Instant::now();
        loop {
            if let Some(at) = self.seen.find(text) {
                let end = at + text.len();
                let before = self.seen[..end].to_string();
                self.seen.drain(..end);
                return before;
            }
            assert!(begin.elapsed() < LIMIT, "no {text:?} in {:?}", self.seen);
            if let Ok(bytes) = self.screen.recv_timeout(Duration::from_millis(50)) {
                self.seen.push_str(&String::from_utf8_lossy(&bytes));
            }
        }
    }

    fn enter(&mut self, text: &str) {
        self.keyboard.write_all(text.as_bytes()).unwrap();
        self.keyboard.write_all(b"\r").unwrap();
    }

    fn signal(&self, signal: Signal) {
        kill(
            Pid::from_raw(i32::try_from(self.child.id()).unwrap()),
            signal,
        )
        .unwrap();
    }

    #[track_caller]
    fn end(&mut self) -> Option<i32> {
        let begin = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(
                begin.elapsed() < LIMIT,
                "the shell does not end: {:?}",
                self.seen
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn shell() -> Terminal {
    let mut terminal = Terminal::start(tempfile::tempdir().unwrap());
    terminal.expect("levada> ");
    terminal
}

#[test]
fn statements_span_lines_and_commands_need_no_semicolon() {
    let mut shell = shell();
    shell.enter("help");
    shell.expect("Statements end with ';'");
    shell.enter("VALUES (1,");
    shell.enter("'two');");
    shell.expect("| two");
    shell.expect("1 row in set");
    shell.enter("SELEC 1;");
    shell.expect("LV-1001");
    shell.enter("SET 'pipeline.name' = 'x';");
    shell.expect("pipeline.name is 'x'");
    shell.enter("quit");
    assert_eq!(shell.end(), Some(0));
}

#[test]
fn ctrl_c_stops_the_query_and_not_the_shell() {
    let mut shell = shell();
    shell.enter(
        "CREATE TABLE many (a INT) WITH ('connector' = 'datagen', 'rows-per-second' = '50');",
    );
    shell.expect("table many created");
    for mode in ["table", "changelog", "tableau"] {
        shell.enter(&format!(
            "SET 'sql-client.execution.result-mode' = '{mode}';"
        ));
        shell.expect(&format!("is '{mode}'"));
        shell.enter("SELECT a FROM many;");
        shell.expect("+--");
        shell.expect("| ");
        // In cooked mode the key would come as a signal to the foreground processes.
        shell.signal(Signal::SIGINT);
        shell.expect("stopped");
        shell.expect("levada> ");
    }
    shell.keyboard.write_all(&[4]).unwrap();
    assert_eq!(shell.end(), Some(0));
}

#[test]
fn tab_completes_what_the_catalog_has() {
    let mut shell = shell();
    shell.enter("CREATE VIEW remarkable AS VALUES (1);");
    shell.expect("view remarkable created");
    shell.expect("levada> ");
    shell
        .keyboard
        .write_all(b"SELECT * FROM remar\t;\r")
        .unwrap();
    shell.expect("remarkable");
    shell.expect("1 row in set");
    shell.enter("exit");
    assert_eq!(shell.end(), Some(0));
}

#[test]
fn the_history_outlives_the_shell() {
    let state = tempfile::tempdir().unwrap();
    let path = state.path().join("levada/history");
    let mut shell = Terminal::start(state);
    shell.expect("levada> ");
    shell.enter("VALUES ('remember me');");
    shell.expect("1 row in set");
    shell.expect("levada> ");
    let history = std::fs::read_to_string(path).unwrap();
    assert!(history.contains("remember me"), "{history}");
    shell.keyboard.write_all(b"\x1b[A\r").unwrap();
    shell.expect("1 row in set");
    shell.enter("exit");
    assert_eq!(shell.end(), Some(0));
}

#[test]
fn a_shell_that_is_told_to_end_does() {
    let mut shell = shell();
    shell.signal(Signal::SIGTERM);
    assert_eq!(shell.end(), Some(0));
}
