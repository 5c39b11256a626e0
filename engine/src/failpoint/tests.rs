use super::*;

#[test]
fn all_are_listed_once_under_names_of_their_own() {
    for (position, point) in Failpoint::ALL.iter().enumerate() {
        assert_eq!(*point as usize, position);
    }
    assert_eq!(Failpoint::ALL.len(), Failpoint::SourceComplete as usize + 1);
    let mut names: Vec<&str> = Failpoint::ALL.iter().map(|p| p.name()).collect();
    names.extend(Fault::ALL.iter().map(|f| f.name()));
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    assert!(Failpoint::SavepointMade.is_of_coordinator());
    assert!(!Failpoint::StateUpload.is_of_coordinator());
}

#[test]
fn one_strikes_at_its_nth_pass_and_never_again() {
    let points = Failpoints::parse("sink.commit:3, state.upload").unwrap();
    let armed = points.0.as_ref().unwrap();
    let commits: Vec<bool> = (0..5)
        .map(|_| armed.strikes(Failpoint::SinkCommit))
        .collect();
    assert_eq!(commits, [false, false, true, false, false]);
    assert!(armed.strikes(Failpoint::StateUpload));
    assert!(!armed.strikes(Failpoint::Manifest));
    assert_eq!(points.fault(), None);
}

#[test]
fn nothing_is_armed_without_a_name() {
    for text in ["", " ", ","] {
        assert!(!Failpoints::parse(text).unwrap().is_armed(), "'{text}'");
    }
    let none = Failpoints::default();
    for point in Failpoint::ALL {
        none.pass(*point);
    }
    let fault = Failpoints::parse("sink.commit-at-prepare").unwrap();
    assert_eq!(fault.fault(), Some(Fault::CommitAtPrepare));
}

#[test]
fn sources_pause_for_as_long_as_they_are_told() {
    let points = Failpoints::parse("source.pause:3,sink.commit-at-prepare").unwrap();
    assert_eq!(points.pause(), Some(Duration::from_millis(3)));
    assert_eq!(points.fault(), Some(Fault::CommitAtPrepare));
    assert!(Failpoints::parse("source.pause:3").unwrap().is_armed());
    assert_eq!(Failpoints::parse("sweep").unwrap().pause(), None);
}

#[test]
fn other_names_and_numbers_are_refused() {
    for text in [
        "sink",
        "sink.commit:0",
        "sink.commit:x",
        "sink.commit-at-prepare:2",
        "source.pause:x",
    ] {
        let error = Failpoints::parse(text).unwrap_err();
        assert!(error.message.contains(text), "{error}");
        assert!(error.hint.unwrap().contains("manifest.written"));
    }
}
