#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use serde_json::Value;

fn lines(dir: &Path, file: u64) -> Vec<Value> {
    fs::read_to_string(dir.join(format!("events-{file}.json")))
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

const SMALL: Input = Input {
    events: 1001,
    rate: 100_000,
    files: 2,
};

#[test]
fn events_are_dealt_out_in_turn_and_in_order() {
    let root = tempfile::tempdir().unwrap();
    let dir = SMALL.dir(root.path());
    SMALL.make(&dir).unwrap();
    let (even, odd) = (lines(&dir, 0), lines(&dir, 1));
    assert_eq!((even.len(), odd.len()), (501, 500));
    // Event 0 is a person, 1 to 3 are auctions, 4 to 49 bids; then it starts again.
    assert_eq!(even[0]["event_type"], 0);
    assert_eq!(odd[0]["event_type"], 1);
    assert_eq!(even[2]["event_type"], 2);
    assert_eq!(even[25]["event_type"], 0);
    assert_eq!(even[0]["person"]["dateTime"], "2023-11-14 22:13:20.000");
    // At 100,000 events a second, event 1000 happens 10 ms after the first.
    assert_eq!(even[500]["person"]["dateTime"], "2023-11-14 22:13:20.010");
}

#[test]
fn an_event_has_just_its_own_object_with_the_benchmarks_field_names() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("input");
    SMALL.make(&dir).unwrap();
    let names = |value: &Value| {
        value
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    let (even, odd) = (lines(&dir, 0), lines(&dir, 1));
    assert_eq!(names(&even[0]), ["event_type", "person"]);
    assert_eq!(
        names(&even[0]["person"]),
        [
            "id",
            "name",
            "emailAddress",
            "creditCard",
            "city",
            "state",
            "dateTime",
            "extra"
        ]
    );
    assert_eq!(
        names(&odd[0]["auction"]),
        [
            "id",
            "itemName",
            "description",
            "initialBid",
            "reserve",
            "dateTime",
            "expires",
            "seller",
            "category",
            "extra"
        ]
    );
    assert_eq!(
        names(&even[2]["bid"]),
        [
            "auction", "bidder", "price", "channel", "url", "dateTime", "extra"
        ]
    );
}

#[test]
fn the_same_parameters_give_the_same_bytes() {
    let root = tempfile::tempdir().unwrap();
    let (one, two) = (root.path().join("one"), root.path().join("two"));
    SMALL.make(&one).unwrap();
    SMALL.make(&two).unwrap();
    for file in ["events-0.json", "events-1.json"] {
        assert_eq!(
            fs::read(one.join(file)).unwrap(),
            fs::read(two.join(file)).unwrap()
        );
    }
}

#[test]
fn a_folder_that_holds_something_else_is_refused() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("notes.txt"), "not events").unwrap();
    let error = SMALL.make(root.path()).unwrap_err().to_string();
    assert!(error.contains("does not hold 2 files of events"), "{error}");
}

#[test]
fn text_that_json_must_escape_is_escaped() {
    let mut line = Line::default();
    line.string("name", "a \"quoted\" \\ name\n");
    assert_eq!(line.text, r#","name":"a \"quoted\" \\ name\n""#);
}
