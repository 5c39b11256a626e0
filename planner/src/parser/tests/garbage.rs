//! Text that is no SQL: whatever comes, there is an answer, and its position lies in the text.

use super::*;

/// Knuth's linear congruential generator: one seed, one run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

const WORDS: &[&str] = &[
    "SELECT",
    "FROM",
    "TABLE",
    "TUMBLE",
    "(",
    ")",
    "(",
    ")",
    ",",
    ";",
    "DESCRIPTOR",
    "ts",
    "t",
    "INTERVAL",
    "'1'",
    "'10",
    "SECOND",
    "GROUP",
    "BY",
    "CREATE",
    "VIEW",
    "AS",
    "WITH",
    "'k'",
    "=",
    "'v'",
    "WATERMARK",
    "FOR",
    "ROW",
    "<",
    ">",
    ">>",
    "INT",
    "ARRAY",
    "MAP",
    "[",
    "]",
    "INSERT",
    "INTO",
    "VALUES",
    "1",
    "-",
    "+",
    "*",
    "/*+",
    "OPTIONS",
    "*/",
    "/*",
    "--",
    "\n",
    "EXECUTE",
    "STATEMENT",
    "SET",
    "BEGIN",
    "END",
    "EXPLAIN",
    "CAST",
    "CASE",
    "WHEN",
    "THEN",
    "`",
    "\"",
    "ü",
    "JSON_VALUE",
    "RETURNING",
    "ON",
    "EMPTY",
    "IS",
    "NOT",
    "NULL",
    "JSON",
    "DISTINCT",
    "UNION",
    "ALL",
    "JOIN",
    "=>",
    "PARTITION",
    "SESSION",
    "HOP",
    "PRIMARY",
    "KEY",
    "ENFORCED",
    "METADATA",
    "LIKE",
    "ESCAPE",
    "EXISTS",
    "IN",
    "BETWEEN",
    "AND",
    ".",
    "::",
    "$",
    "@",
    "?",
    "TIMESTAMP",
    "DECIMAL",
    "TO",
    "DAY",
    "FLOOR",
    "EXTRACT",
    "TIMESTAMPDIFF",
    "SHOW",
    "DROP",
    "STOP",
    "JOB",
    "OVER",
    "ORDER",
];

#[track_caller]
fn survives(sql: &str) {
    if let Err(error) = parse(sql) {
        let rendered = error.render(sql);
        assert!(rendered.starts_with("LV-1"), "{rendered}");
        assert_ne!(error.kind(), PlanErrorKind::Internal, "{rendered}");
        if let Some(at) = error.location() {
            let lines: Vec<&str> = sql.split('\n').collect();
            let line = lines.get(at.line as usize - 1);
            let fits = line.is_some_and(|line| at.column as usize <= line.chars().count() + 2);
            assert!(fits, "a position outside of {sql:?}:\n{rendered}");
        }
    }
    let _ = is_complete(sql);
}

#[test]
fn word_salad() {
    let mut dice = Dice(42);
    for _ in 0..4_000 {
        let length = 1 + dice.roll(24);
        let words: Vec<&str> = (0..length).map(|_| WORDS[dice.roll(WORDS.len())]).collect();
        survives(&words.join(" "));
    }
}

const SCRIPT: &str = "CREATE TABLE t (a ROW<x INT, y ARRAY<STRING>>, ts TIMESTAMP(3), b AS a.x + 1,
  WATERMARK FOR ts AS ts - INTERVAL '1:30' MINUTE TO SECOND, PRIMARY KEY (b) NOT ENFORCED) WITH ('k' = 'v');
EXECUTE STATEMENT SET BEGIN INSERT INTO s /*+ OPTIONS('a'='b') */ SELECT window_start, COUNT(*) FILTER (WHERE a.x > 1)
FROM TABLE(HOP(TABLE t, DESCRIPTOR(ts), SIZE => INTERVAL '1' DAY)) AS w WHERE x LIKE 'a!_' ESCAPE '!' GROUP BY 1; END;
SELECT CAST(JSON_VALUE(j, '$.a' RETURNING INT DEFAULT 0 ON EMPTY) AS DECIMAL(10, 2)), TUMBLE_START(ts, INTERVAL '1' HOUR)
FROM (SELECT * FROM t) x JOIN y ON x.a = y.a GROUP BY TUMBLE(ts, INTERVAL '1' HOUR);";

#[test]
fn scripts_with_a_slip() {
    let characters: Vec<char> = SCRIPT.chars().collect();
    let mut dice = Dice(7);
    for _ in 0..1_500 {
        let mut slipped = characters.clone();
        let at = dice.roll(slipped.len());
        match dice.roll(4) {
            0 => drop(slipped.remove(at)),
            1 => slipped.truncate(at),
            2 => slipped.swap(at, dice.roll(characters.len())),
            _ => slipped.insert(at, characters[dice.roll(characters.len())]),
        }
        survives(&slipped.iter().collect::<String>());
    }
}
