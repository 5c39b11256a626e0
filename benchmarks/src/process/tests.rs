#![allow(clippy::unwrap_used)]
use super::*;

/// What comes of a shell's script that may take a second.
fn shell(script: &str) -> Result<Finished> {
    let scratch = std::env::temp_dir().join(format!("levada-process.{}", std::process::id()));
    fs::create_dir_all(&scratch).unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    let limit = Duration::from_secs(1);
    let run = run("it", &mut command, Output::Kept, &scratch, limit);
    fs::remove_dir_all(&scratch).unwrap();
    run
}

#[test]
fn a_child_that_takes_too_long_is_ended_and_says_how_far_it_was() {
    let text = |script| shell(script).unwrap_err().to_string();
    let slow = text("echo rows 5; echo rows 7000; exec sleep 60");
    assert!(
        slow.ends_with("not done after 1 s, ended: 7000 rows read, 7000 a second"),
        "{slow}"
    );
    let silent = shell("echo seconds 0.1").unwrap();
    assert_eq!(silent.stdout, "seconds 0.1\n");
    let failed = text("echo 'an error' >&2; exit 3");
    assert!(failed.ends_with("an error"), "{failed}");
}
