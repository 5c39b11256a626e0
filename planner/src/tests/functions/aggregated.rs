//! Aggregates that are functions of all values of a group, against their definitions.

use super::random::Chance;
use super::*;

/// A row of a group.
struct Row {
    number: Option<i64>,
    times: i64,
    text: Option<String>,
}

/// Rows of groups, of which row by row each is one of these.
fn rows(chance: &mut Chance, groups: usize) -> Vec<(i64, Row)> {
    let row = |chance: &mut Chance| {
        let group = i64::try_from(chance.below(groups)).unwrap();
        let number = i64::try_from(chance.below(12)).unwrap() - 6;
        let text = ["a", "b", "", "\"q", "ü"][chance.below(5)].to_string();
        let row = Row {
            number: (chance.below(4) > 0).then_some(number),
            times: i64::try_from(chance.below(4)).unwrap(),
            text: (chance.below(5) > 0).then_some(text),
        };
        (group, row)
    };
    let count = 1 + chance.below(40);
    (0..count).map(|_| row(chance)).collect()
}

fn registered(rows: &[(i64, Row)]) -> SessionContext {
    let numbers = |pick: fn(&Row) -> Option<i64>| -> ArrayRef {
        Arc::new(
            rows.iter()
                .map(|(_, row)| pick(row))
                .collect::<Int64Array>(),
        )
    };
    let texts = rows.iter().map(|(_, row)| row.text.as_deref());
    let columns: Vec<(&str, ArrayRef)> = vec![
        (
            "k",
            Arc::new(rows.iter().map(|(k, _)| Some(*k)).collect::<Int64Array>()),
        ),
        ("n", numbers(|row| row.number)),
        ("times", numbers(|row| Some(row.times))),
        ("s", Arc::new(texts.collect::<StringArray>())),
    ];
    let context = session(None);
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, array)| (name, array, true)),
    );
    context.register_batch("r", batch.unwrap()).unwrap();
    context
}

fn percentile(mut numbers: Vec<i64>, fraction: f64) -> String {
    numbers.sort();
    if numbers.is_empty() {
        return "NULL".into();
    }
    let place = (numbers.len() - 1) as f64 * fraction;
    let (low, part) = (place.floor(), place - place.floor());
    let at = |place: f64| numbers[place as usize] as f64;
    let value = match part == 0.0 {
        true => at(low),
        false => (1.0 - part) * at(low) + part * at(low + 1.0),
    };
    format!("{value:?}")
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\\\""))
}

fn object(rows: &[Row]) -> String {
    let mut members: Vec<(&str, String)> = Vec::new();
    for row in rows {
        let Some(key) = row.text.as_deref() else {
            continue;
        };
        let value = row.number.map_or("null".into(), |n| n.to_string());
        match members.iter_mut().find(|(known, _)| *known == key) {
            Some((_, last)) => *last = value,
            None => members.push((key, value)),
        }
    }
    let members = members
        .iter()
        .map(|(key, value)| format!("{}:{value}", quoted(key)));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

fn multiset(rows: &[Row]) -> String {
    let mut counts: Vec<(i64, usize)> = Vec::new();
    for number in rows.iter().filter_map(|row| row.number) {
        match counts.iter_mut().find(|(known, _)| *known == number) {
            Some((_, count)) => *count += 1,
            None => counts.push((number, 1)),
        }
    }
    let shown = counts.iter().map(|(n, count)| format!("{n}: {count}"));
    match counts.is_empty() {
        true => "NULL".into(),
        false => format!("{{{}}}", shown.collect::<Vec<_>>().join(", ")),
    }
}

/// An aggregate, and what it is of the rows of a group.
type Case = (&'static str, fn(&[Row]) -> String);

const CASES: &[Case] = &[
    ("PERCENTILE(n, 0.25)", |rows| {
        percentile(rows.iter().filter_map(|row| row.number).collect(), 0.25)
    }),
    ("PERCENTILE(n, 0.5, times)", |rows| {
        let times = |row: &Row| usize::try_from(row.times).unwrap();
        let repeated = rows
            .iter()
            .filter_map(|row| Some(std::iter::repeat_n(row.number?, times(row))));
        percentile(repeated.flatten().collect(), 0.5)
    }),
    ("LISTAGG(s, '-')", |rows| {
        let texts: Vec<&str> = rows.iter().filter_map(|row| row.text.as_deref()).collect();
        match texts.is_empty() {
            true => "NULL".into(),
            false => texts.join("-"),
        }
    }),
    ("JSON_ARRAYAGG(s NULL ON NULL)", |rows| {
        let texts = rows.iter().map(|row| row.text.as_deref());
        let texts = texts.map(|text| text.map_or("null".into(), quoted));
        format!("[{}]", texts.collect::<Vec<_>>().join(","))
    }),
    ("JSON_ARRAYAGG(n) FILTER (WHERE times > 0)", |rows| {
        let kept = rows.iter().filter(|row| row.times > 0);
        let numbers: Vec<String> = kept
            .filter_map(|row| Some(row.number?.to_string()))
            .collect();
        format!("[{}]", numbers.join(","))
    }),
    (
        "JSON_OBJECTAGG(KEY s VALUE n) FILTER (WHERE s IS NOT NULL)",
        object,
    ),
    ("COLLECT(n)", multiset),
    ("COUNT(DISTINCT n, s)", |rows| {
        let pairs = rows
            .iter()
            .filter_map(|row| Some((row.number?, row.text.as_deref()?)));
        let pairs: std::collections::BTreeSet<_> = pairs.collect();
        pairs.len().to_string()
    }),
    ("APPROX_COUNT_DISTINCT(s)", |rows| {
        let texts: std::collections::BTreeSet<_> =
            rows.iter().filter_map(|row| row.text.as_deref()).collect();
        texts.len().to_string()
    }),
    ("BOOL_AND(n > 0)", |rows| {
        let mut known = rows.iter().filter_map(|row| row.number).peekable();
        match known.peek() {
            None => "NULL".into(),
            Some(_) => known.all(|n| n > 0).to_string(),
        }
    }),
    ("BOOL_OR(n > 0)", |rows| {
        let mut known = rows.iter().filter_map(|row| row.number).peekable();
        match known.peek() {
            None => "NULL".into(),
            Some(_) => known.any(|n| n > 0).to_string(),
        }
    }),
];

#[test]
fn aggregates_of_all_values_equal_their_definitions() {
    for seed in 1..25 {
        let mut chance = Chance::new(seed);
        let rows = rows(&mut chance, 4);
        let context = registered(&rows);
        let mut groups: std::collections::BTreeMap<i64, Vec<Row>> = Default::default();
        for (group, row) in rows {
            groups.entry(group).or_default().push(row);
        }
        for (aggregate, definition) in CASES {
            let sql =
                format!("SELECT x FROM (SELECT k, {aggregate} AS x FROM r GROUP BY k) ORDER BY k");
            let expected: Vec<String> = groups.values().map(|rows| definition(rows)).collect();
            match block(run_in(&context, &sql)) {
                Ok((found, _)) => assert_eq!(found, expected, "{aggregate}, seed {seed}"),
                Err(error) => panic!("{aggregate}: {error}"),
            }
        }
    }
}
