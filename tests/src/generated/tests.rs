//! What is generated follows from its numbers, and becomes small.

use super::*;

fn random(seed: u64) -> (Case, Vec<u32>) {
    let mut choices = Choices::random(seed);
    let case = case(&mut choices);
    (case, choices.into_parts().0)
}

#[test]
fn a_case_follows_from_its_numbers() {
    for seed in 0..200 {
        let (first, numbers) = random(seed);
        let mut again = Choices::replay(numbers.clone());
        let second = case(&mut again);
        assert_eq!(golden(&first, ""), golden(&second, ""), "seed {seed}");
        assert_eq!(again.into_parts().0, numbers, "seed {seed}");
    }
}

#[test]
fn without_numbers_a_case_is_a_short_query_over_an_empty_table() {
    let case = case(&mut Choices::replay(Vec::new()));
    assert_eq!(case.files, [("t0.json".to_string(), String::new())]);
    assert!(case.sql.len() < 300, "{}", case.sql);
}

#[test]
fn every_construct_is_generated() {
    let all: String = (0..1000).map(|seed| random(seed).0.sql).collect();
    let wanted = [
        "FULL JOIN",
        "RIGHT JOIN",
        "LEFT ANTI JOIN",
        "CROSS JOIN",
        "IS NOT DISTINCT FROM",
        "NOT IN (SELECT",
        "NOT EXISTS",
        "(SELECT COUNT",
        "GROUPING SETS",
        "ROLLUP",
        "CUBE",
        "GROUPING(",
        "UNION ALL",
        "UNION (",
        "INTERSECT ALL",
        "EXCEPT ALL",
        "EXCEPT (",
        "QUALIFY",
        "ROW_NUMBER",
        "RANK()",
        "LIMIT",
        "OFFSET",
        "UNNEST",
        "WITH ORDINALITY",
        "FOR SYSTEM_TIME AS OF",
        "ASOF JOIN",
        "TUMBLE",
        "HOP",
        "CUMULATE",
        "SESSION",
        "MATCH_RECOGNIZE",
        "PERMUTE",
        "ALL ROWS PER MATCH",
        "AS OF PROCTIME()",
        "CREATE FUNCTION",
        "PERCENTILE(",
        "ARRAY_AGG(",
        "VAR_POP(",
        "BOOL_OR(",
        "LAG(",
        "ROWS BETWEEN",
        "FILTER (WHERE",
        "COUNT(DISTINCT",
        "HAVING",
        "CREATE VIEW",
        "WITH w",
        "CASE WHEN",
        "'connector' = 'changes'",
        "BYTES",
        "TIMESTAMP_LTZ",
        "MAP<STRING, INT>",
        "ARRAY<ROW<",
    ];
    let lacking: Vec<_> = wanted.iter().filter(|text| !all.contains(**text)).collect();
    assert!(lacking.is_empty(), "{lacking:?}");
}

#[tokio::test]
async fn shrinking_leaves_what_a_failure_needs() {
    let bad = |case: &Case| {
        let rows: usize = case.files.iter().map(|file| file.1.lines().count()).sum();
        case.sql.contains("FULL JOIN") && rows >= 2
    };
    let seed = (0..500).find(|seed| bad(&random(*seed).0));
    let (_, numbers) = random(seed.expect("some have one"));
    let small = shrink(numbers, 5000, async |case: &mut Case| bad(case)).await;
    assert!(bad(&small));
    let query = small.sql.lines().last().unwrap_or_default();
    assert!(query.len() < 200, "{query}");
    let rows: usize = small.files.iter().map(|file| file.1.lines().count()).sum();
    assert_eq!(rows, 2, "{}", golden(&small, ""));
}
