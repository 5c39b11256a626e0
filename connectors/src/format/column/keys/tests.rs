#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

fn keys() -> Keys {
    Keys::new(["a", "b"].into_iter())
}

fn found(text: &str, child: Option<usize>) -> Option<Found> {
    Some(Found {
        len: text.len(),
        child,
    })
}

#[test]
fn what_was_learned_is_predicted() {
    let mut keys = keys();
    let long = ",\"a key of more than sixteen bytes\":";
    for (step, text) in ["{\"a\":", ",\"b\": ", long, ",\"exactly 16 b\":"]
        .into_iter()
        .enumerate()
    {
        assert_eq!(keys.predict(step, text.as_bytes()), None);
        keys.learn(step, text.as_bytes(), Some(step));
        let input = format!("{text}12345678901234567890");
        assert_eq!(
            keys.predict(step, input.as_bytes()),
            found(text, Some(step))
        );
        assert_eq!(keys.predict(step, text.as_bytes()), found(text, Some(step)));
        assert_eq!(keys.predict(step, &text.as_bytes()[..text.len() - 1]), None);
        let other = format!("{}?2345678901234567890", &text[..text.len() - 1]);
        assert_eq!(keys.predict(step, other.as_bytes()), None);
    }
}

#[test]
fn several_forms_are_recalled() {
    let mut keys = keys();
    let forms = ["{\"a\":", "{\"b\":", "{\"c\":", "{\"d\":", "{\"e\":"];
    for text in forms {
        keys.learn(0, text.as_bytes(), None);
    }
    assert_eq!(keys.predict(0, b"{\"e\":"), found("{\"e\":", None));
    assert_eq!(keys.predict(0, b"{\"c\":"), None);
    assert_eq!(keys.recall(0, b"{\"c\":"), found("{\"c\":", None));
    assert_eq!(keys.predict(0, b"{\"c\":"), found("{\"c\":", None));
    assert_eq!(
        keys.recall(0, b"{\"a\":"),
        None,
        "the oldest form has given way"
    );
}

#[test]
fn columns_are_found_by_name_few_or_many() {
    for count in [3, 30] {
        let names: Vec<String> = (0..count).map(|i| format!("c{i}")).collect();
        let keys = Keys::new(names.iter().map(String::as_str));
        assert_eq!(keys.find(b"c2"), Some(2));
        assert_eq!(keys.find(b"C2"), None);
        assert_eq!(keys.find(b"\xff"), None);
    }
}

#[test]
fn memory_is_bounded_whatever_the_keys() {
    fn size(keys: &Keys) -> usize {
        let forms = keys.steps.iter().flat_map(|step| &step.forms);
        forms
            .map(|form| form.text.len() + form.inside.as_deref().map_or(0, size))
            .sum()
    }
    let mut keys = keys();
    for i in 0..100_000usize {
        let text = format!(",\"key {i}\":");
        keys.learn(i % 700, text.as_bytes(), None);
        if let Some(inside) = keys.inside(i % 700) {
            inside.learn(i % 90, text.as_bytes(), None);
        }
    }
    assert!(keys.steps.len() <= MOST_STEPS);
    assert!(size(&keys) < (MOST_STEPS + MOST_INSIDES * MOST_STEPS_INSIDE) * FORMS * 20);
    assert!(keys.insides <= MOST_INSIDES);
    let mut fresh = self::keys();
    fresh.learn(0, &[b'x'; LONGEST_KEY + 1], None);
    fresh.learn(0, b"{\n\"a\":", None);
    fresh.learn(1, b",\"b\":", None);
    assert!(fresh.steps.is_empty());
}
