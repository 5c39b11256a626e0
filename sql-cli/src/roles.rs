//! `levada coordinator` and `levada worker`: one role of a cluster each.

use std::io::Write;
use std::net::SocketAddr;

use levada_engine::cluster::{self, CoordinatorProcess, WorkerProcess};
use levada_engine::failpoint::Failpoints;
use levada_engine::memory::Memory;
use levada_gateway::environment::environment;
use levada_gateway::scratch::ScratchDir;
use tokio_util::sync::CancellationToken;

use crate::Exit;
use crate::args::{CoordinatorArguments, WorkerArguments};
use crate::signals::Interrupts;

/// What a process prints in front of its address when it is ready.
pub const READY: &str = " ready on ";

/// Runs a coordinator until it is told to end.
///
/// # Errors
/// It cannot listen or use its directory.
pub async fn coordinator(options: &CoordinatorArguments) -> Result<(), Exit> {
    let stop = stop_token(options.until_stdin_ends)?;
    std::fs::create_dir_all(&options.dir).map_err(|error| {
        Exit::Failed(format!(
            "cannot use the directory {}: {error}",
            options.dir.display()
        ))
    })?;
    let dir = std::path::absolute(&options.dir)?;
    let process = CoordinatorProcess {
        bind: resolve("--bind", &options.bind).await?,
        dir: dir.clone(),
        metrics: resolve_some("--metrics", options.metrics.as_deref()).await?,
    };
    let mut environment = environment(dir.join("scratch"), Memory::of_machine());
    environment.failpoints = failpoints()?;
    let ready = |address| announce("coordinator", address);
    Ok(cluster::coordinator_process(process, environment, stop, ready).await?)
}

/// Runs a worker until it is told to end.
///
/// # Errors
/// It cannot listen, or the coordinator does not want it.
pub async fn worker(options: &WorkerArguments) -> Result<(), Exit> {
    let stop = stop_token(options.until_stdin_ends)?;
    let scratch = ScratchDir::create(options.scratch.as_deref())?;
    let process = WorkerProcess {
        coordinator: options.coordinator.clone(),
        slots: options.slots,
        bind: resolve("--bind", &options.bind).await?,
        metrics: resolve_some("--metrics", options.metrics.as_deref()).await?,
    };
    let mut environment = environment(scratch.path().to_path_buf(), options.memory.get());
    environment.failpoints = failpoints()?;
    let ready = |address| announce("worker", address);
    Ok(cluster::worker_process(process, environment, stop, ready).await?)
}

/// Where this process is to die, which only tests of crashes say.
fn failpoints() -> Result<Failpoints, Exit> {
    let text = std::env::var("LEVADA_FAILPOINT").unwrap_or_default();
    let failpoints = Failpoints::parse(&text)?;
    if failpoints.is_armed() {
        tracing::warn!("this process is to fail for a test: LEVADA_FAILPOINT={text}");
    }
    Ok(failpoints)
}

/// A line on standard output for whoever started this process.
fn announce(role: &str, address: SocketAddr) {
    let _ = writeln!(std::io::stdout(), "{role}{READY}{address}");
}

async fn resolve_some(option: &str, text: Option<&str>) -> Result<Option<SocketAddr>, Exit> {
    match text {
        Some(text) => resolve(option, text).await.map(Some),
        None => Ok(None),
    }
}

/// The address behind `HOST:PORT`.
async fn resolve(option: &str, text: &str) -> Result<SocketAddr, Exit> {
    let found = tokio::net::lookup_host(text).await;
    let first = found.map(|mut addresses| addresses.next());
    match first {
        Ok(Some(address)) => Ok(address),
        Ok(None) => Err(Exit::Usage(format!(
            "{option} '{text}': there is no such host"
        ))),
        Err(error) => Err(Exit::Usage(format!(
            "{option} '{text}' is not HOST:PORT: {error}"
        ))),
    }
}

/// Cancelled by SIGTERM and Ctrl-C, and by the end of standard input if that counts.
fn stop_token(until_stdin_ends: bool) -> Result<CancellationToken, Exit> {
    let stop = CancellationToken::new();
    let mut interrupts = Interrupts::listen()?;
    let signalled = stop.clone();
    tokio::spawn(async move {
        let request = interrupts.next().await;
        tracing::info!(?request, "asked to end");
        signalled.cancel();
    });
    if until_stdin_ends {
        let ended = stop.clone();
        // A blocking read cannot be cancelled, so it has a thread that ends with the process.
        std::thread::Builder::new()
            .name("stdin".to_string())
            .spawn(move || {
                let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
                ended.cancel();
            })?;
    }
    Ok(stop)
}
