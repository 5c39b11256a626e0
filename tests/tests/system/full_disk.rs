//! Disks that are full, really: a small file system in memory under the checkpoints, the scratch
//! files or the sink's files of a job. When there is room again the job finishes, with each row once.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use levada_engine::client::{JobState, JobStatus};
use levada_engine::memory::Memory;
use levada_gateway::inspect::inspect;
use levada_gateway::{Job, Outcome, Session};
use levada_planner::parser;
use levada_tests::case;
use levada_tests::cluster::{Shared, Shares};
use levada_tests::paced::{Faults, paced};

const ROWS: u64 = 400_000;
const KEYS: u64 = 150_000;
const PATIENCE: Duration = Duration::from_secs(120);
/// In front of each of the two hundred batches of a source.
const MEAN_PAUSE: Duration = Duration::from_micros(2500);

/// A file system that is soon full.
struct SmallDisk(PathBuf);

fn mount(arguments: &[&str], path: &Path) -> bool {
    let mounted = Command::new("mount").args(arguments).arg(path).output();
    mounted.is_ok_and(|output| output.status.success())
}

impl SmallDisk {
    /// `None` where nobody may mount anything.
    fn mount(path: PathBuf, size: &str) -> Option<Self> {
        std::fs::create_dir_all(&path).unwrap();
        let size = format!("size={size}");
        if mount(&["-t", "tmpfs", "-o", &size, "levada-test"], &path) {
            return Some(SmallDisk(path));
        }
        eprintln!(
            "skipped: a file system cannot be mounted here (root may, where mounts are allowed)"
        );
        None
    }

    fn grow(&self) {
        assert!(mount(&["-o", "remount,size=512m"], &self.0));
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

struct Round {
    folder: PathBuf,
    session: Session,
    shared: Arc<Shared>,
}

impl Round {
    fn new(folder: &Path, backend: &str) -> Self {
        let input = folder.join("input");
        std::fs::create_dir_all(&input).unwrap();
        for half in 0..2 {
            let rows = (0..ROWS).filter(|row| row % 2 == half);
            let line = |row| {
                format!(
                    "{{\"k\": {}, \"v\": {row}, \"ts\": \"2026-01-01 00:00:00\"}}\n",
                    row % KEYS
                )
            };
            let text: String = rows.map(line).collect();
            std::fs::write(input.join(format!("{half}.json")), text).unwrap();
        }
        // So little that state on disk does not stay in write buffers.
        let memory = Memory::new(64 << 20);
        // The sources take half a second at least, so that there are checkpoints in the middle of the input.
        let connectors = levada_connectors::registry();
        let pauses = (2 * MEAN_PAUSE, Duration::ZERO);
        let connectors = paced(
            &connectors,
            pauses,
            levada_tests::seed(),
            &Faults::default(),
        );
        let own = tempfile::tempdir().unwrap();
        let scratch = folder.join("scratch");
        let shared = Shared::embedded_in(connectors.clone(), 2, memory, &scratch, own);
        let mut session = Session::new(connectors, Arc::new(Shares(Arc::clone(&shared))));
        let checkpoints = folder.join("checkpoints").display().to_string();
        for (name, value) in [
            ("parallelism.default", "2"),
            ("pipeline.batch-rows", "1000"),
            ("state.backend.type", backend),
            ("execution.checkpointing.interval", "20 ms"),
            ("execution.checkpointing.num-retained", "2"),
            ("execution.checkpointing.dir", &checkpoints),
            ("restart-strategy.type", "fixed-delay"),
            ("restart-strategy.fixed-delay.attempts", "100000"),
            ("restart-strategy.fixed-delay.delay", "100 ms"),
        ] {
            session.configuration_mut().set(name, value).unwrap();
        }
        Round {
            folder: folder.to_path_buf(),
            session,
            shared,
        }
    }

    async fn start(&mut self) -> Job {
        let script = format!(
            "CREATE TABLE rows_in (k BIGINT, v BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
             WITH ('connector' = 'filesystem', 'path' = '{0}/input', 'format' = 'json');
             CREATE TABLE sums (k BIGINT, n BIGINT, s BIGINT)
             WITH ('connector' = 'filesystem', 'path' = '{0}/out', 'format' = 'csv');
             INSERT INTO sums SELECT k, COUNT(*), SUM(v)
             FROM TABLE(TUMBLE(TABLE rows_in, DESCRIPTOR(ts), INTERVAL '1' HOUR))
             GROUP BY window_start, window_end, k;",
            self.folder.display()
        );
        let mut job = None;
        for statement in parser::parse(&script).unwrap() {
            if let Outcome::Job(started) = self.session.execute_statement(&statement).await.unwrap()
            {
                job = Some(started);
            }
        }
        job.expect("the INSERT is a job")
    }

    async fn status(&self, job: &Job) -> JobStatus {
        self.shared.client().status(&job.id).await.unwrap()
    }

    /// Waits until the job says that there is no space in this folder.
    async fn is_told(&self, job: &Job, place: &Path) {
        let begun = Instant::now();
        loop {
            let status = self.status(job).await;
            assert!(!status.state.is_terminal(), "{status:?}");
            let text = status.error.as_ref().map(ToString::to_string);
            let text = text.unwrap_or_default();
            if text.contains("No space left on device") && text.contains(&*place.to_string_lossy())
            {
                eprintln!("{text}");
                assert!(status.error.unwrap().hint.is_some());
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{text}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn finishes(&self, job: &Job) {
        let ended = self.shared.client().wait(&job.id);
        let status = tokio::time::timeout(PATIENCE, ended)
            .await
            .expect("it ends")
            .unwrap();
        assert_eq!(status.state, JobState::Finished, "{status:?}");
        let mut expected: Vec<String> = (0..KEYS)
            .map(|k| {
                let rows = (k..ROWS).step_by(KEYS as usize);
                format!("{k},{},{}", rows.clone().count(), rows.sum::<u64>())
            })
            .collect();
        expected.sort();
        let found = lines(&self.folder.join("out"));
        assert_eq!(found.len(), expected.len(), "number of rows");
        assert!(found == expected, "the rows differ");
    }
}

/// The lines of all committed files.
fn lines(folder: &Path) -> Vec<String> {
    let mut paths = Vec::new();
    case::walk(folder, &mut paths);
    paths.retain(|path| !path.file_name().unwrap().to_string_lossy().starts_with('.'));
    let text = |path: &PathBuf| std::fs::read_to_string(path).unwrap();
    let mut lines: Vec<String> = paths
        .iter()
        .map(text)
        .flat_map(|text| {
            let lines: Vec<String> = text.lines().map(str::to_string).collect();
            lines
        })
        .collect();
    lines.sort();
    lines
}

async fn full(backend: &str, place: &str, size: &str) {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(folder.path().join(place), size) else {
        return;
    };
    let mut round = Round::new(folder.path(), backend);
    let job = round.start().await;
    round.is_told(&job, &disk.0).await;
    // What is complete can be read, full or not.
    for _ in 0..3 {
        if let Some(latest) = round.status(&job).await.checkpoints.last_path {
            match inspect(&latest).await {
                Ok(_) => {}
                // It has been removed since, by one that is complete, or with the job: what is left to do may
                // fit on a disk that was too small for all of it.
                Err(error) => {
                    let now = round.status(&job).await;
                    let removed = now.checkpoints.last_path.as_ref() != Some(&latest);
                    assert!(
                        removed || now.state == JobState::Finished,
                        "{error}: {now:?}"
                    );
                }
            }
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    disk.grow();
    round.finishes(&job).await;
    drop(round);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_room_for_checkpoints() {
    full("memory", "checkpoints", "2m").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_room_for_state_on_disk() {
    full("rocksdb", "scratch", "512k").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_room_for_the_files_of_a_sink() {
    full("memory", "out", "2m").await;
}
