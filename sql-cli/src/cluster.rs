//! `levada cluster`: a coordinator and workers on this machine, as child processes.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::Exit;
use crate::args::{Arguments, ClusterArguments, LogFormat};
use crate::roles::READY;
use crate::signals::Interrupts;

/// How long a process may take to be ready.
const START_LIMIT: Duration = Duration::from_secs(20);
/// How long a process may take to end when it is told to.
const STOP_LIMIT: Duration = Duration::from_secs(15);
/// A worker that dies is replaced, but not more often than this.
const RESPAWN_DELAY: Duration = Duration::from_secs(1);

/// A child process. It ends when its standard input is closed, which also happens when this
/// process dies, however it dies.
struct Role {
    name: String,
    child: Child,
    /// Waiting for a child closes the input that it holds, so it is held here.
    input: Option<ChildStdin>,
    /// Where it listens.
    address: String,
    /// Kept, so that the child can go on writing.
    _output: Lines<BufReader<ChildStdout>>,
}

/// Runs a cluster until it is told to stop.
///
/// # Errors
/// A process cannot be started, or the coordinator dies.
pub async fn run(options: &ClusterArguments, arguments: &Arguments) -> Result<(), Exit> {
    let mut interrupts = Interrupts::listen()?;
    let temporary = match &options.dir {
        Some(_) => None,
        None => Some(
            tempfile::Builder::new()
                .prefix("levada-cluster-")
                .tempdir()?,
        ),
    };
    let dir = match (&options.dir, &temporary) {
        (Some(dir), _) => dir.clone(),
        (None, Some(temporary)) => temporary.path().to_path_buf(),
        (None, None) => PathBuf::from("."),
    };
    let mut roles = Vec::new();
    let ended = tokio::select! {
        ended = supervise(options, arguments, &dir, &mut roles) => ended,
        _ = interrupts.next() => Ok(()),
    };
    // Workers first, so that they can say goodbye to their coordinator.
    while let Some(role) = roles.pop() {
        stop(role).await;
    }
    ended
}

async fn supervise(
    options: &ClusterArguments,
    arguments: &Arguments,
    dir: &Path,
    roles: &mut Vec<Role>,
) -> Result<(), Exit> {
    let mut command = role_command("coordinator", arguments)?;
    command
        .arg("--bind")
        .arg(&options.bind)
        .arg("--dir")
        .arg(dir);
    if let Some(metrics) = &options.metrics {
        command.arg("--metrics").arg(metrics);
    }
    let coordinator = start("coordinator".to_string(), command).await?;
    let address = coordinator.address.clone();
    roles.push(coordinator);
    for number in 1..=options.workers {
        let worker = start_worker(number, &address, options, arguments).await?;
        roles.push(worker);
    }
    println!(
        "cluster ready on {address}: {} workers with {} slots each",
        options.workers, options.slots
    );
    watch(options, arguments, &address, roles).await
}

/// Replaces workers that die; without its coordinator the cluster is over.
async fn watch(
    options: &ClusterArguments,
    arguments: &Arguments,
    address: &str,
    roles: &mut [Role],
) -> Result<(), Exit> {
    loop {
        let waits = roles.iter_mut().map(|role| Box::pin(role.child.wait()));
        let (status, position, _) = futures::future::select_all(waits).await;
        let status = status?;
        let Some(role) = roles.get_mut(position) else {
            continue;
        };
        if position == 0 {
            return Err(Exit::Failed(format!("the coordinator has ended: {status}")));
        }
        tracing::warn!(role = role.name, %status, "a worker has ended and is replaced");
        tokio::time::sleep(RESPAWN_DELAY).await;
        let number = u32::try_from(position).unwrap_or(u32::MAX);
        *role = start_worker(number, address, options, arguments).await?;
    }
}

async fn start_worker(
    number: u32,
    coordinator: &str,
    options: &ClusterArguments,
    arguments: &Arguments,
) -> Result<Role, Exit> {
    let mut command = role_command("worker", arguments)?;
    command.arg("--coordinator").arg(coordinator);
    command.arg("--slots").arg(options.slots.to_string());
    if let Some(bytes) = options.memory.bytes {
        command.arg("--memory").arg(bytes.to_string());
    }
    start(format!("worker {number}"), command).await
}

fn role_command(role: &str, arguments: &Arguments) -> Result<Command, Exit> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(role).arg("--until-stdin-ends");
    if arguments.log_format == LogFormat::Json {
        command.arg("--log-format=json");
    }
    if let Some(level) = &arguments.log_level {
        command.arg("--log-level").arg(level);
    }
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    Ok(command)
}

/// Starts a process and waits until it says where it listens.
async fn start(name: String, mut command: Command) -> Result<Role, Exit> {
    let mut child = command.spawn()?;
    let Some(stdout) = child.stdout.take() else {
        return Err(Exit::Failed(format!("the {name} has no output")));
    };
    let mut output = BufReader::new(stdout).lines();
    let ready = tokio::time::timeout(START_LIMIT, ready_line(&mut output)).await;
    match ready {
        Ok(Some(address)) => {
            tracing::info!(role = name, address, pid = child.id(), "started");
            let input = child.stdin.take();
            Ok(Role {
                name,
                child,
                input,
                address,
                _output: output,
            })
        }
        Ok(None) => {
            let status = child.wait().await?;
            Err(Exit::Failed(format!(
                "the {name} has ended before it was ready: {status}"
            )))
        }
        Err(_) => {
            let limit = START_LIMIT.as_secs();
            Err(Exit::Failed(format!(
                "the {name} was not ready within {limit} s"
            )))
        }
    }
}

async fn ready_line(output: &mut Lines<BufReader<ChildStdout>>) -> Option<String> {
    while let Ok(Some(line)) = output.next_line().await {
        if let Some((_, address)) = line.split_once(READY) {
            return Some(address.trim().to_string());
        }
    }
    None
}

async fn stop(mut role: Role) {
    drop(role.input.take());
    let ended = tokio::time::timeout(STOP_LIMIT, role.child.wait()).await;
    if ended.is_err() {
        tracing::warn!(role = role.name, "does not end, and is killed");
        if let Err(error) = role.child.kill().await {
            tracing::warn!(role = role.name, %error, "could not be killed");
        }
    }
}
