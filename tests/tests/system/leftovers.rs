//! What a process that is killed leaves behind.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use levada_tests::processes::{Processes, Victim};

fn folders(place: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(place).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn temporary_files_of_a_killed_worker_go_when_the_next_one_comes() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("temporary");
    std::fs::create_dir(&place).unwrap();
    let variables = [("TMPDIR".to_string(), place.display().to_string())];
    let mut cluster = Processes::start_with(folder.path(), 1, 1, &variables);
    let before = folders(&place);
    assert_eq!(before.len(), 1, "{before:?}");
    std::fs::write(before[0].join("state"), "much").unwrap();
    cluster.kill(Victim::Worker(0));
    let begun = Instant::now();
    loop {
        let now = folders(&place);
        if now.len() == 1 && now != before {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{now:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
