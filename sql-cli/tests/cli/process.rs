//! Starting `levada` and reading what it says.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Longer than anything here takes on a busy machine.
pub const LIMIT: Duration = Duration::from_secs(60);

/// A command line of the binary under test, with a state directory of its own.
pub fn levada(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_levada"));
    command.args(arguments).stdin(Stdio::null());
    command
}

/// What a finished process left.
#[derive(Debug)]
pub struct Ended {
    /// Its exit status.
    pub status: Option<i32>,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Ended {
            status: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// Runs it to its end.
pub fn run(arguments: &[&str]) -> Ended {
    levada(arguments).output().unwrap().into()
}

/// Runs statements, which must succeed; gives standard output.
#[track_caller]
pub fn sql(arguments: &[&str], statements: &str) -> String {
    let all: Vec<&str> = ["sql", "-e", statements]
        .iter()
        .chain(arguments)
        .copied()
        .collect();
    let ended = run(&all);
    assert_eq!(ended.status, Some(0), "{}", ended.stderr);
    ended.stdout
}

/// Runs statements, which must fail; gives standard error.
#[track_caller]
pub fn failing(arguments: &[&str], statements: &str) -> String {
    let all: Vec<&str> = ["sql", "-e", statements]
        .iter()
        .chain(arguments)
        .copied()
        .collect();
    let ended = run(&all);
    assert_eq!(ended.status, Some(1), "{} {}", ended.stdout, ended.stderr);
    let error = ended.stderr.lines().any(|line| line.starts_with("error: "));
    assert!(error, "{}", ended.stderr);
    assert!(
        !ended.stderr.contains(" WARN "),
        "told twice: {}",
        ended.stderr
    );
    ended.stderr
}

/// A process that is killed when the test is over, however that ends.
pub struct Running {
    child: Child,
    output: Option<BufReader<ChildStdout>>,
}

impl Running {
    /// Starts it.
    pub fn start(mut command: Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let output = child.stdout.take().map(BufReader::new);
        Running { child, output }
    }

    /// The next line of standard output; empty at its end.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.as_mut().unwrap().read_line(&mut line).unwrap();
        line.trim_end().to_string()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: nix::sys::signal::Signal) {
        let pid = nix::unistd::Pid::from_raw(i32::try_from(self.child.id()).unwrap());
        nix::sys::signal::kill(pid, signal).unwrap();
    }

    /// Waits until it has ended by itself.
    #[track_caller]
    pub fn end(mut self) -> Ended {
        let begin = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(begin.elapsed() < LIMIT, "the process does not end");
            std::thread::sleep(Duration::from_millis(10));
        };
        let mut ended = Ended {
            status: status.code(),
            stdout: String::new(),
            stderr: String::new(),
        };
        self.output
            .take()
            .unwrap()
            .read_to_string(&mut ended.stdout)
            .unwrap();
        self.child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut ended.stderr)
            .unwrap();
        ended
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A file with this content in a folder of the test.
pub fn file(dir: &tempfile::TempDir, name: &str, content: &str) -> String {
    let path = dir.path().join(name);
    std::fs::File::create(&path)
        .unwrap()
        .write_all(content.as_bytes())
        .unwrap();
    path.display().to_string()
}
