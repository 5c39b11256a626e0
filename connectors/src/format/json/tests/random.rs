//! Random documents and random damage, against serde_json as the model.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::format::scalar::number;

fn fields() -> Vec<Field> {
    vec![
        column("a", "BIGINT"),
        column("s", "STRING"),
        row(
            "r",
            vec![
                column("d", "DOUBLE"),
                column("a", "BOOLEAN"),
                list("l", "BIGINT"),
            ],
        ),
        map("m", "STRING"),
    ]
}

/// A value that does not suit its column.
struct Unsuitable;

/// What a column makes of a value: the value as the encoder would show it.
type Model = fn(&Value) -> Result<Value, Unsuitable>;

fn bigint(value: &Value) -> Result<Value, Unsuitable> {
    let text = match value {
        Value::Null => return Ok(Value::Null),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim_ascii().to_string(),
        _ => return Err(Unsuitable),
    };
    number::integer(text.as_bytes())
        .map(|v| json!(v))
        .map_err(|_| Unsuitable)
}

fn double(value: &Value) -> Result<Value, Unsuitable> {
    match value {
        Value::Null => Ok(Value::Null),
        Value::Number(number) => Ok(shown(number.as_f64().unwrap())),
        Value::String(text) => match number::double(text.trim_ascii().as_bytes()) {
            Ok(v) if v.is_finite() => Ok(shown(v)),
            Ok(v) if v.is_nan() => Ok(json!("NaN")),
            Ok(v) => Ok(json!(if v > 0.0 { "Infinity" } else { "-Infinity" })),
            Err(_) => Err(Unsuitable),
        },
        _ => Err(Unsuitable),
    }
}

/// A float as serde_json reads it back from its text, in which it may be off by one digit.
fn shown(value: f64) -> Value {
    serde_json::from_str(ryu::Buffer::new().format_finite(value)).unwrap()
}

fn boolean(value: &Value) -> Result<Value, Unsuitable> {
    match value {
        Value::Null | Value::Bool(_) => Ok(value.clone()),
        Value::String(text) => match text.trim_ascii().to_ascii_lowercase().as_str() {
            "true" => Ok(json!(true)),
            "false" => Ok(json!(false)),
            _ => Err(Unsuitable),
        },
        _ => Err(Unsuitable),
    }
}

/// Other values than strings are compared by what their text means.
fn string(value: &Value) -> Result<Value, Unsuitable> {
    Ok(match value {
        Value::Null => Value::Null,
        Value::String(text) => json!(text),
        other => json!({ "json": other }),
    })
}

fn integers(value: &Value) -> Result<Value, Unsuitable> {
    match value {
        Value::Null => Ok(Value::Null),
        Value::Array(elements) => elements
            .iter()
            .map(bigint)
            .collect::<Result<_, _>>()
            .map(Value::Array),
        _ => Err(Unsuitable),
    }
}

fn strings(value: &Value) -> Result<Value, Unsuitable> {
    match value {
        Value::Null => Ok(Value::Null),
        Value::Object(entries) => {
            let entries = entries.iter().map(|(k, v)| Ok((k.clone(), string(v)?)));
            entries.collect::<Result<_, _>>().map(Value::Object)
        }
        _ => Err(Unsuitable),
    }
}

fn record(value: &Value, fields: &[(&str, Model)], lenient: bool) -> Result<Value, Unsuitable> {
    let Value::Object(object) = value else {
        return Err(Unsuitable);
    };
    let mut row = Map::new();
    for (name, model) in fields {
        let value = match model(object.get(*name).unwrap_or(&Value::Null)) {
            Ok(value) => value,
            Err(_) if lenient => Value::Null,
            Err(unsuitable) => return Err(unsuitable),
        };
        row.insert((*name).to_string(), value);
    }
    Ok(Value::Object(row))
}

fn nested(lenient: bool) -> Model {
    const FIELDS: [(&str, Model); 3] = [("d", double), ("a", boolean), ("l", integers)];
    fn read(value: &Value, lenient: bool) -> Result<Value, Unsuitable> {
        match value {
            Value::Null => Ok(Value::Null),
            value => record(value, &FIELDS, lenient),
        }
    }
    if lenient {
        |value| read(value, true)
    } else {
        |value| read(value, false)
    }
}

fn model(document: &Value, lenient: bool) -> Result<Value, Unsuitable> {
    let fields: [(&str, Model); 4] = [
        ("a", bigint),
        ("s", string),
        ("r", nested(lenient)),
        ("m", strings),
    ];
    record(document, &fields, lenient)
}

/// The decoder's rows, with texts of JSON replaced by what they mean where the model has a meaning.
fn decoded(text: &[u8], lenient: bool, model: Option<&Value>) -> Option<Value> {
    let option = [("ignore-parse-errors", "true")];
    let mut decoder = decoder(fields(), if lenient { &option } else { &[] });
    match decoder.decode_message(text, 0) {
        Ok(1) => {}
        Ok(_) | Err(_) => return None,
    }
    let mut row: Value = serde_json::from_str(&show(&decoder.flush().unwrap())).unwrap();
    if let Some(model) = model {
        understand(&mut row["s"], &model["s"]);
        if let (Value::Object(entries), Value::Object(expected)) = (&mut row["m"], &model["m"]) {
            entries
                .iter_mut()
                .for_each(|(key, value)| understand(value, &expected[key]));
        }
    }
    Some(row)
}

fn understand(value: &mut Value, expected: &Value) {
    if let (Value::String(text), Value::Object(_)) = (&*value, expected) {
        *value = json!({ "json": serde_json::from_str::<Value>(text).unwrap() });
    }
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => prop::sample::select(vec!["a", "s", "r", "m", "d", "l", "z"]).prop_map(str::to_string),
        1 => ".{0,24}",
    ]
}

fn document() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1000i64..1000).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i32>().prop_map(|number| Value::from(number.to_string())),
        "\\PC{0,40}".prop_map(Value::from),
        ".{0,4}".prop_map(Value::from),
        Just(json!("TRUE")),
    ];
    let value = leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((key(), inner), 0..6)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    });
    prop::collection::vec((key(), value), 0..8)
        .prop_map(|entries| Value::Object(entries.into_iter().collect()))
}

/// A change to a text: cut, replace, insert, delete, repeat.
fn damage(text: &[u8], changes: &[(u8, prop::sample::Index, u8)]) -> Vec<u8> {
    const BYTES: &[u8] = b"{}[]\",:\\ \n0-.eEtfnu\x00\xff\xc3a9";
    let mut text = text.to_vec();
    for (kind, index, byte) in changes {
        let at = index.index(text.len() + 1);
        let byte = BYTES[usize::from(*byte) % BYTES.len()];
        match kind % 5 {
            0 => text.truncate(at),
            1 if at < text.len() => text[at] = byte,
            2 if at < text.len() => drop(text.remove(at)),
            3 => text.extend_from_within(at..),
            _ => text.insert(at, byte),
        }
    }
    text
}

/// Whether serde_json refuses a text for a reason that this decoder, on purpose, does not share.
fn refused_only_by_serde(error: &serde_json::Error, text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text).to_ascii_lowercase();
    // In values that are passed over, neither the range of a number nor surrogates are looked at.
    error.to_string().contains("number out of range") || text.contains("\\ud")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn documents_are_read_as_the_model_reads_them(document in document(), pretty: bool, lenient: bool) {
        let text = if pretty { serde_json::to_vec_pretty(&document) } else { serde_json::to_vec(&document) };
        let text = text.unwrap();
        // What serde_json reads back is what is compared (its floats may differ in the last digit).
        let document: Value = serde_json::from_slice(&text).unwrap();
        let expected = model(&document, lenient).ok();
        prop_assert_eq!(decoded(&text, lenient, expected.as_ref()), expected);
    }

    #[test]
    fn damage_is_found_wherever_it_is(
        document in document(),
        changes in prop::collection::vec((any::<u8>(), any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let text = damage(&serde_json::to_vec(&document).unwrap(), &changes);
        match serde_json::from_slice::<Value>(&text) {
            Ok(Value::Object(object)) => {
                let expected = model(&Value::Object(object), false).ok();
                prop_assert_eq!(decoded(&text, false, expected.as_ref()), expected);
            }
            Ok(_) => {}
            Err(error) if refused_only_by_serde(&error, &text) => {}
            Err(_) => prop_assert_eq!(decoded(&text, false, None), None, "{}", String::from_utf8_lossy(&text)),
        }
    }

    #[test]
    fn every_line_of_a_damaged_stream_is_a_row_or_a_bad_row(
        documents in prop::collection::vec(document(), 1..6),
        changes in prop::collection::vec((any::<u8>(), any::<prop::sample::Index>(), any::<u8>()), 0..6),
    ) {
        let mut text = Vec::new();
        for document in &documents {
            serde_json::to_writer(&mut text, document).unwrap();
            text.push(b'\n');
        }
        let text = damage(&text, &changes);
        let schema = schema(fields());
        let mut decoder = Json::default().decoder(&schema, schema.clone(), OnBadRow::Divert).unwrap();
        prop_assert_eq!(decoder.decode(whole(&text)).unwrap(), text.len());
        let lines = text.split(|b| *b == b'\n').filter(|line| !line.trim_ascii().is_empty()).count();
        let rows = decoder.rows();
        prop_assert_eq!(decoder.flush().unwrap().num_rows(), rows);
        let bad = decoder.take_bad_rows();
        prop_assert_eq!(rows + bad.len(), lines);
        for row in bad {
            let at = row.position.offset as usize;
            prop_assert!(text[at..].starts_with(&row.payload));
        }
    }

    #[test]
    fn what_was_read_before_changes_nothing(
        documents in prop::collection::vec(document(), 1..4),
        order in prop::collection::vec(any::<prop::sample::Index>(), 2..12),
        changes in prop::collection::vec(
            prop::collection::vec((any::<u8>(), any::<prop::sample::Index>(), any::<u8>()), 0..2), 12,
        ),
    ) {
        let schema = schema(fields());
        let decoder = || Json::default().decoder(&schema, schema.clone(), OnBadRow::Divert).unwrap();
        let mut experienced = decoder();
        for (index, changes) in order.iter().zip(&changes) {
            let document = &documents[index.index(documents.len())];
            let text = damage(&serde_json::to_vec(document).unwrap(), changes);
            let mut fresh = decoder();
            let results = [&mut experienced, &mut fresh].map(|decoder| {
                decoder.decode_message(&text, 0).unwrap();
                (show(&decoder.flush().unwrap()), decoder.take_bad_rows())
            });
            prop_assert_eq!(&results[0], &results[1], "{}", String::from_utf8_lossy(&text));
        }
    }

    #[test]
    fn any_bytes_are_survived(bytes: Vec<u8>) {
        let _ = decoded(&bytes, true, None);
        let mut decoder = decoder(fields(), &[("ignore-parse-errors", "true")]);
        prop_assert_eq!(decoder.decode(whole(&bytes)).unwrap(), bytes.len());
        decoder.flush().unwrap();
    }
}
