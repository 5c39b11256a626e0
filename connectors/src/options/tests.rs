#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

fn options(entries: &[(&str, &str)]) -> Options {
    Options::new(entries.iter().map(|(n, v)| (n.to_string(), v.to_string())))
}

#[test]
fn unknown_option_names_the_nearest_and_lists_the_valid() {
    let mut o = options(&[("scan.startup.mod", "x"), ("topic", "t")]);
    o.text("topic");
    o.text("scan.startup.mode");
    let error = o.finish().unwrap_err();
    assert_eq!(error.code(), "LV-2001");
    assert_eq!(error.message, "unknown option 'scan.startup.mod'");
    assert_eq!(
        error.hint.as_deref(),
        Some("did you mean 'scan.startup.mode'? Valid: 'scan.startup.mode', 'topic'")
    );
}

#[test]
fn open_prefixes_accept_any_name() {
    let mut o = options(&[("properties.group.id", "g"), ("properties.x", "1")]);
    let properties = o.open_prefix("properties.");
    assert_eq!(properties.get("group.id").map(String::as_str), Some("g"));
    assert_eq!(properties.len(), 2);
    o.finish().unwrap();
}

#[test]
fn missing_option_is_named() {
    let error = options(&[]).required("topic").unwrap_err();
    assert_eq!(error.message, "the option 'topic' is missing");
}

#[test]
fn values_are_typed() {
    let mut o = options(&[
        ("b", "TRUE"),
        ("d", "10 min"),
        ("bare", "250"),
        ("size", "128mb"),
        ("n", "12"),
        ("mode", "Latest"),
        ("c", "é"),
    ]);
    assert!(o.boolean("b", false).unwrap());
    assert_eq!(o.duration("d").unwrap(), Some(Duration::from_secs(600)));
    assert_eq!(
        o.duration("bare").unwrap(),
        Some(Duration::from_millis(250))
    );
    assert_eq!(o.bytes("size").unwrap(), Some(128 << 20));
    assert_eq!(o.parsed::<u32>("n", "a number").unwrap(), Some(12));
    assert_eq!(
        o.choice("mode", &[("earliest", 0), ("latest", 1)]).unwrap(),
        Some(1)
    );
    assert_eq!(o.character("c").unwrap(), Some('é'));
    o.finish().unwrap();
}

#[test]
fn wrong_values_say_what_was_expected() {
    let mut o = options(&[
        ("b", "yes"),
        ("d", "10 parsecs"),
        ("mode", "newest"),
        ("c", "ab"),
    ]);
    let message = |e: EngineError| e.message;
    assert_eq!(
        message(o.boolean("b", false).unwrap_err()),
        "the option 'b' has the value 'yes', expected 'true' or 'false'"
    );
    assert!(message(o.duration("d").unwrap_err()).contains("expected a duration"));
    assert!(
        message(
            o.choice("mode", &[("earliest", 0), ("latest", 1)])
                .unwrap_err()
        )
        .contains("one of 'earliest', 'latest'")
    );
    assert!(message(o.character("c").unwrap_err()).contains("a single character"));
}

#[test]
fn sizes_and_durations_do_not_overflow() {
    let mut o = options(&[
        ("d", "99999999999999999 days"),
        ("size", "99999999999999999tb"),
    ]);
    o.duration("d").unwrap_err();
    o.bytes("size").unwrap_err();
}
