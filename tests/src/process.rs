//! The binary as a process.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// The binary: `LEVADA_BIN`, or the one that cargo has built beside the tests.
pub fn binary() -> PathBuf {
    if let Ok(path) = std::env::var("LEVADA_BIN") {
        return PathBuf::from(path);
    }
    let test = std::env::current_exe().expect("the test has a path");
    let beside = test
        .parent()
        .and_then(|deps| deps.parent())
        .map(|dir| dir.join("levada"));
    let path = beside.expect("the test lies in a target folder");
    assert!(
        path.exists(),
        "no binary at {}: cargo build --release -p levada, or set LEVADA_BIN",
        path.display()
    );
    path
}

/// A child that is killed when its test ends, however it ends.
#[derive(Debug)]
pub struct Child(std::process::Child);

impl Child {
    /// Starts the binary with these arguments; its standard error goes to the file.
    pub fn start(arguments: &[&str], log: &std::path::Path) -> Self {
        Self::start_with(arguments, &[], log)
    }

    /// The same with these variables in its environment.
    pub fn start_with(
        arguments: &[&str],
        variables: &[(String, String)],
        log: &std::path::Path,
    ) -> Self {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(log);
        let log = log.expect("the log is writable");
        let child = Command::new(binary())
            .args(arguments)
            .envs(variables.iter().cloned())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a file"))
            .stderr(log)
            .spawn();
        Child(child.expect("the binary starts"))
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }

    /// Whether it still runs.
    pub fn lives(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(None))
    }

    /// Whether it has ended with status 0.
    pub fn succeeded(&mut self) -> bool {
        matches!(self.0.wait(), Ok(status) if status.success())
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What the threads of a process are doing: their stacks if there is a debugger, else whether they run
/// and what they wait for.
pub fn threads(process: u32) -> String {
    let id = process.to_string();
    let debugger = Command::new("gdb")
        .args(["-p", &id, "-batch", "-ex", "thread apply all bt 30"])
        .stdin(Stdio::null())
        .output();
    if let Ok(output) = debugger
        && output.status.success()
    {
        return String::from_utf8_lossy(&output.stdout).into_owned();
    }
    let tasks = std::fs::read_dir(format!("/proc/{id}/task"));
    let tasks = tasks.into_iter().flatten().flatten();
    let lines = tasks.map(|task| {
        let read = |name| std::fs::read_to_string(task.path().join(name)).unwrap_or_default();
        format!("{} waits in {}", read("stat").trim(), read("wchan"))
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Runs the binary to its end.
pub fn run(arguments: &[&str]) -> Output {
    run_with(arguments, &[])
}

/// The same with these variables in its environment.
pub fn run_with(arguments: &[&str], variables: &[(String, String)]) -> Output {
    let output = Command::new(binary())
        .args(arguments)
        .envs(variables.iter().cloned())
        .stdin(Stdio::null())
        .output();
    output.expect("the binary starts")
}

/// `levada sql -e SQL` with these options.
pub fn sql(options: &[&str], sql: &str) -> Output {
    let mut arguments = vec!["sql"];
    arguments.extend_from_slice(options);
    arguments.extend_from_slice(&["-e", sql]);
    run(&arguments)
}

/// A port on loopback that was free a moment ago.
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    listener.local_addr().expect("an address").port()
}
