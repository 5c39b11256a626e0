//! DataFusion's and Arrow's words for types and values, as SQL has them.

/// The message with SQL's names of types, and with constants as SQL writes them: `Utf8 + Int64`
/// becomes `STRING + BIGINT`, and `Int64(1)` becomes `1`.
pub fn in_sql(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(is_word) {
        let (before, from) = rest.split_at(start);
        let (word, after) = from.split_at(from.find(|c| !is_word(c)).unwrap_or(from.len()));
        out.push_str(before);
        rest = after;
        match constant(word, after).or_else(|| timestamp(word, after)) {
            Some((shown, behind)) => {
                out.push_str(&shown);
                rest = behind;
            }
            None => out.push_str(name(word)),
        }
    }
    out.push_str(rest);
    out
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn name(word: &str) -> &str {
    match word {
        "Boolean" => "BOOLEAN",
        "Int8" => "TINYINT",
        "Int16" => "SMALLINT",
        "Int32" => "INT",
        "Int64" => "BIGINT",
        "Float32" => "FLOAT",
        "Float64" => "DOUBLE",
        "Utf8" | "LargeUtf8" | "Utf8View" => "STRING",
        "Binary" | "LargeBinary" | "BinaryView" => "BYTES",
        "Date32" | "Date64" => "DATE",
        "Decimal128" | "Decimal256" => "DECIMAL",
        "List" | "LargeList" => "ARRAY",
        "Struct" => "ROW",
        other => other,
    }
}

/// `Int64(1)` and its like, given the text behind the word; with the text behind it all.
fn constant<'a>(word: &str, after: &'a str) -> Option<(String, &'a str)> {
    const TYPES: &[&str] = &[
        "Boolean",
        "Int8",
        "Int16",
        "Int32",
        "Int64",
        "UInt8",
        "UInt16",
        "UInt32",
        "UInt64",
        "Float32",
        "Float64",
        "Utf8",
        "LargeUtf8",
        "Utf8View",
    ];
    if !TYPES.contains(&word) {
        return None;
    }
    let inner = after.strip_prefix('(')?;
    if let Some(quoted) = inner.strip_prefix('"') {
        let (text, behind) = quoted.split_once("\")")?;
        return Some((format!("'{text}'"), behind));
    }
    let (value, behind) = inner.split_once(')')?;
    Some((value.to_string(), behind))
}

/// `Timestamp(ms)` and `Timestamp(ms, "UTC")`.
fn timestamp<'a>(word: &str, after: &'a str) -> Option<(String, &'a str)> {
    if word != "Timestamp" {
        return None;
    }
    let (inner, behind) = after.strip_prefix('(')?.split_once(')')?;
    let (unit, zone) = inner.split_once(',').unwrap_or((inner, ""));
    let digits = match unit.trim() {
        "s" | "Second" => 0,
        "ms" | "Millisecond" => 3,
        "µs" | "us" | "Microsecond" => 6,
        _ => 9,
    };
    let zoned = !matches!(zone.trim(), "" | "None");
    let name = if zoned { "TIMESTAMP_LTZ" } else { "TIMESTAMP" };
    Some((format!("{name}({digits})"), behind))
}
