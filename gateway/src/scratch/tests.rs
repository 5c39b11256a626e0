#![allow(clippy::unwrap_used)]
use std::time::{Duration, Instant};

use super::*;

fn names(place: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(place).unwrap();
    let name = |e: io::Result<std::fs::DirEntry>| e.unwrap().file_name().into_string().unwrap();
    let mut names: Vec<String> = entries.map(name).collect();
    names.sort();
    names
}

fn name(dir: &ScratchDir) -> String {
    let name = dir.path().file_name().unwrap();
    name.to_str().unwrap().to_string()
}

#[test]
fn a_folder_goes_with_its_owner() {
    let place = tempfile::tempdir().unwrap();
    let dir = ScratchDir::create(Some(&place.path().join("new"))).unwrap();
    std::fs::write(dir.path().join("state"), "much").unwrap();
    let path = dir.path().to_path_buf();
    assert!(path.starts_with(place.path()));
    drop(dir);
    assert!(!path.exists());
}

#[test]
fn what_a_killed_process_has_left_is_removed_and_nothing_else() {
    let place = tempfile::tempdir().unwrap();
    let file = |path: &str| {
        let path = place.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "").unwrap();
    };
    file("levada-dead/lock");
    file("levada-dead/rocksdb/000007.sst");
    file("levada-without-lock/state");
    file("other/lock");
    file("levada-file");
    std::os::unix::fs::symlink(place.path().join("other"), place.path().join("levada-link"))
        .unwrap();
    let living = ScratchDir::create(Some(place.path())).unwrap();
    let begun = Instant::now();
    while place.path().join("levada-dead").exists() {
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "{:?}",
            names(place.path())
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    let second = ScratchDir::create(Some(place.path())).unwrap();
    let owner = second.path().metadata().unwrap().uid();
    sweep(place.path(), owner).unwrap();
    let mut expected = vec![
        name(&living),
        name(&second),
        "levada-file".to_string(),
        "levada-link".to_string(),
        "levada-without-lock".to_string(),
        "other".to_string(),
    ];
    expected.sort();
    assert_eq!(names(place.path()), expected);
    assert!(place.path().join("other/lock").exists());
}

#[test]
fn another_users_folder_stays() {
    let place = tempfile::tempdir().unwrap();
    let dead = place.path().join("levada-dead");
    std::fs::create_dir(&dead).unwrap();
    std::fs::write(dead.join(LOCK), "").unwrap();
    let owner = dead.metadata().unwrap().uid();
    sweep(place.path(), owner + 1).unwrap();
    assert!(dead.exists());
    sweep(place.path(), owner).unwrap();
    assert!(!dead.exists());
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = ScratchDir::create(Some(&file)).unwrap_err().to_string();
    assert!(error.contains(&file.display().to_string()), "{error}");
}
