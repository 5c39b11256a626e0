//! Running a child process, with its wall time and its peak memory as the kernel counted them.

use std::fs::{self, DirEntry, File};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::{At, Error, Result};

#[cfg(test)]
mod tests;

/// How often a running child is looked at: what a measured time may be off by.
const POLL: Duration = Duration::from_millis(2);

/// How often the files of a running child are counted.
const DISK_POLL: Duration = Duration::from_millis(500);

/// What a child did.
#[derive(Debug)]
pub struct Finished {
    /// From just before its start to its end.
    pub wall: Duration,
    /// The largest resident set that it ever had, in bytes.
    pub peak_bytes: u64,
    /// The most that `scratch` held at once beyond what it held before, in bytes on disk.
    pub disk_bytes: u64,
    /// Standard output, if that was not sent elsewhere.
    pub stdout: String,
}

/// Where a child's standard output goes.
#[derive(Clone, Copy, Debug)]
pub enum Output<'a> {
    /// Kept, and handed back.
    Kept,
    /// Into a file.
    File(&'a Path),
}

/// Runs `command` to its end. Its standard error goes through `scratch`, a folder.
///
/// # Errors
/// When it can't be started, runs longer than `limit`, or ends with another status than 0; then the
/// error carries the first line of its standard error that names one.
pub fn run(
    system: &'static str,
    command: &mut Command,
    output: Output<'_>,
    scratch: &Path,
    limit: Duration,
) -> Result<Finished> {
    let failed = |reason: String| Error::System { system, reason };
    let kept = scratch.join("stdout");
    let out_path = match output {
        Output::Kept => kept.as_path(),
        Output::File(path) => path,
    };
    let err_path = scratch.join("stderr");
    command
        .stdin(Stdio::null())
        .stdout(File::create(out_path).at(out_path)?)
        .stderr(File::create(&err_path).at(&err_path)?);
    let started = Instant::now();
    let child = command
        .spawn()
        .map_err(|e| failed(format!("can't start {:?}: {e}", command.get_program())))?;
    let before = on_disk(scratch);
    let (done, disk) = (AtomicBool::new(false), AtomicU64::new(before));
    let (ended, wall) = thread::scope(|scope| {
        let counter = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                disk.fetch_max(on_disk(scratch), Ordering::Relaxed);
                thread::park_timeout(DISK_POLL);
            }
        });
        let ended = wait(child.id(), started, limit);
        let wall = started.elapsed();
        done.store(true, Ordering::Relaxed);
        counter.thread().unpark();
        (ended, wall)
    });
    match ended {
        None => Err(failed(unfinished(&read(out_path)?, limit))),
        Some((0, peak_bytes)) => Ok(Finished {
            wall,
            peak_bytes,
            disk_bytes: disk.into_inner().saturating_sub(before),
            stdout: match output {
                Output::Kept => read(out_path)?,
                Output::File(_) => String::new(),
            },
        }),
        Some((status, _)) => Err(failed(complaint(&read(&err_path)?, status))),
    }
}

/// How much the files below a folder take, in bytes on disk. They come and go meanwhile.
fn on_disk(dir: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(dir) else {
        return 0;
    };
    let size = |entry: DirEntry| match entry.metadata() {
        Ok(data) if data.is_dir() => on_disk(&entry.path()),
        // Blocks are counted in 512 bytes.
        Ok(data) => data.blocks() * 512,
        Err(_) => 0,
    };
    entries.flatten().map(size).sum()
}

/// The child's raw status and peak memory, or nothing if it had to be killed at the limit.
/// `std::process` does not hand out the resource usage, hence the system call.
fn wait(pid: u32, started: Instant, limit: Duration) -> Option<(i32, u64)> {
    let pid = libc::pid_t::try_from(pid).ok()?;
    let mut killed = false;
    loop {
        let mut status = 0;
        // SAFETY: an all-zero rusage is a valid one; it holds only integers.
        let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
        // SAFETY: both pointers are to live locals, and nobody else waits for this child.
        let done = unsafe { libc::wait4(pid, &raw mut status, libc::WNOHANG, &raw mut usage) };
        if done != 0 {
            // Linux counts in KiB.
            let peak = u64::try_from(usage.ru_maxrss).unwrap_or(0) * 1024;
            return (done == pid && !killed).then_some((status, peak));
        }
        if !killed && started.elapsed() > limit {
            // SAFETY: the child has not been waited for, so the number is still its own.
            unsafe { libc::kill(pid, libc::SIGKILL) };
            killed = true;
        }
        thread::sleep(POLL);
    }
}

fn read(path: &Path) -> Result<String> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|mut file| file.read_to_end(&mut bytes))
        .at(path)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// What to say of a child that was ended: how far it was, if it told so in a last line "rows N".
fn unfinished(stdout: &str, limit: Duration) -> String {
    let seconds = limit.as_secs();
    let rows = |line: &str| line.strip_prefix("rows ")?.trim().parse::<u64>().ok();
    match stdout.lines().rev().find_map(rows) {
        Some(rows) => {
            let rate = rows / seconds.max(1);
            format!("not done after {seconds} s, ended: {rows} rows read, {rate} a second")
        }
        None => format!("not done after {seconds} s, ended"),
    }
}

/// The line of standard error that says most: the last "Caused by" of a Java trace, else the first
/// that has the word error or exception, else the first.
fn complaint(stderr: &str, status: i32) -> String {
    let lines: Vec<&str> = stderr.lines().filter(|l| !l.trim().is_empty()).collect();
    let named = |word: &str| lines.iter().find(|l| l.to_ascii_lowercase().contains(word));
    lines
        .iter()
        .rfind(|l| l.starts_with("Caused by"))
        .or_else(|| named("error"))
        .or_else(|| named("exception"))
        .or_else(|| lines.first())
        .map_or_else(|| ending(status), |l| l.trim().to_owned())
}

fn ending(status: i32) -> String {
    if libc::WIFSIGNALED(status) {
        format!("ended by signal {}", libc::WTERMSIG(status))
    } else {
        format!("ended with status {}", libc::WEXITSTATUS(status))
    }
}
