//! Nexmark: every query of the benchmark gives the same on streams and in batch, from the connector
//! and from JSON files.

use std::path::Path;
use std::sync::Arc;

use levada_gateway::Session;
use levada_tests::cluster::{Shared, Shares};
use levada_tests::run::{self, same};
use levada_tests::sums::{Sum, Told, sum};

const EVENTS: usize = 20_000;

const QUERIES: [&str; 29] = [
    "q0",
    "q1",
    "q2",
    "q3",
    "q4",
    "q5",
    "q5_hop",
    "q6",
    "q7",
    "q7_tumble",
    "q8",
    "q8_auction",
    "q8_person",
    "q9",
    "q10",
    "q11",
    "q13",
    "q14",
    "q15",
    "q16",
    "q17",
    "q18",
    "q19",
    "q20",
    "q20_interval",
    "q21",
    "q22",
    "q23",
    "q12",
];

fn file(name: &str) -> String {
    let path = levada_tests::workspace()
        .join("benchmarks/nexmark")
        .join(name);
    std::fs::read_to_string(path).unwrap()
}

/// The tables of the benchmark over JSON files, or over the connector.
fn tables(folder: Option<&Path>, events: usize) -> String {
    let ddl = file("ddl.sql").replace("${delay}", "4");
    match folder {
        Some(folder) => ddl.replace("${path}", &folder.display().to_string()),
        None => {
            let (head, rest) = ddl.split_once(") WITH (").unwrap();
            let (_, tail) = rest.split_once(");").unwrap();
            let options = format!("'connector' = 'nexmark', 'events.num' = '{events}'");
            format!("{head}) WITH ({options});{tail}")
        }
    }
}

/// The statements in front of the query, and the query itself, without its sink.
fn query(name: &str) -> (String, String) {
    let text = file(&format!("{name}.sql"));
    let (_, rest) = text.split_once("CREATE TABLE sink").unwrap();
    let (_, rest) = rest.split_once("(${sink});").unwrap();
    let (before, query) = rest.split_once("INSERT INTO sink").unwrap();
    let query = query.trim().trim_end_matches(';');
    let suite = levada_tests::workspace().join("benchmarks/nexmark");
    let before = before.replace("${suite}", &suite.display().to_string());
    (before.trim().to_string(), query.to_string())
}

async fn session(
    engine: &Arc<Shared>,
    mode: &str,
    folder: Option<&Path>,
    events: usize,
) -> Session {
    let shares = Arc::new(Shares(Arc::clone(engine)));
    let mut session = Session::new(levada_connectors::registry(), shares);
    let configuration = session.configuration_mut();
    configuration.set("execution.runtime-mode", mode).unwrap();
    configuration.set("parallelism.default", "2").unwrap();
    let tables = tables(folder, events);
    run::execute(&mut session, &tables).await.unwrap();
    session
}

/// Four JSON files of what the connector generates.
async fn write_json(engine: &Arc<Shared>, folder: &Path) {
    let mut session = session(engine, "streaming", None, EVENTS).await;
    session
        .configuration_mut()
        .set("parallelism.default", "4")
        .unwrap();
    let ddl = tables(Some(folder), EVENTS).replace("CREATE TABLE datagen", "CREATE TABLE files");
    let (table, _) = ddl.split_once("CREATE VIEW").unwrap();
    let script =
        format!("{table}\nINSERT INTO files SELECT event_type, person, auction, bid FROM datagen;");
    run::execute(&mut session, &script).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn streams_equal_batch() {
    let engine = Shared::embedded(levada_connectors::registry(), 64);
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("events");
    write_json(&engine, &json).await;

    let mut failures = Vec::new();
    for name in QUERIES {
        let (before, query) = query(name);
        let mut expected: Option<Vec<String>> = None;
        for (mode, source) in [
            ("batch", Some(json.as_path())),
            ("streaming", Some(json.as_path())),
            ("streaming", None),
            ("batch", None),
        ] {
            let from = if source.is_some() {
                "JSON"
            } else {
                "the connector"
            };
            let what = format!("{name}, {mode} from {from}");
            let mut session = session(&engine, mode, source, EVENTS).await;
            if !before.is_empty() {
                run::execute(&mut session, &before).await.unwrap();
            }
            let found = match run::query(&mut session, &query).await {
                Ok(answer) if name == "q12" => total(&answer.rows),
                // Auction, bidder and time; which of several bids of one time is the last is left open.
                Ok(answer) if name == "q18" => columns(&answer.rows, &[0, 1, 5]),
                // Auction, price and place.
                Ok(answer) if name == "q19" => columns(&answer.rows, &[0, 2, 7]),
                Ok(answer) => answer.rows,
                Err(problem) => {
                    failures.push(format!("{what}: {problem}"));
                    continue;
                }
            };
            match &expected {
                None if found.is_empty() => failures.push(format!("{what}: no rows")),
                None => expected = Some(found),
                Some(expected) => failures.extend(same(&what, expected, &found).err()),
            }
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n\n"));
}

/// Each query over so many events that its rows cannot be held: what they add up to is compared.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn streams_equal_batch_on_many_events() {
    let events = levada_tests::count("LEVADA_NEXMARK", 100_000, 5_000_000);
    let engine = Shared::embedded(levada_connectors::registry(), 64);
    let mut failures = Vec::new();
    for name in QUERIES {
        let told = match name {
            "q12" => Told::Total(1),
            "q18" => Told::Columns(&[0, 1, 5]),
            "q19" => Told::Columns(&[0, 2, 7]),
            _ => Told::Whole,
        };
        let batch = added(&engine, name, "batch", events, told).await;
        let stream = added(&engine, name, "streaming", events, told).await;
        eprintln!("{name}: {batch:?}");
        if batch != stream || batch == Ok(Sum::default()) {
            failures.push(format!("{name}: {stream:?} on streams, {batch:?} in batch"));
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

async fn added(
    engine: &Arc<Shared>,
    name: &str,
    mode: &str,
    events: usize,
    told: Told,
) -> Result<Sum, String> {
    let (before, query) = query(name);
    let mut session = session(engine, mode, None, events).await;
    if !before.is_empty() {
        run::execute(&mut session, &before).await?;
    }
    sum(&mut session, &query, told).await
}

/// What falls into which window of processing time depends on the run; how much there is does not.
fn total(rows: &[String]) -> Vec<String> {
    let count = |row: &String| {
        row.split(" | ")
            .nth(1)
            .and_then(|n| n.parse::<u64>().ok())
            .unwrap()
    };
    vec![rows.iter().map(count).sum::<u64>().to_string()]
}

/// Some columns of rows, sorted: those that do not depend on which of several rows that are equal in order comes
/// first.
fn columns(rows: &[String], columns: &[usize]) -> Vec<String> {
    let picked = |row: &String| {
        let cells: Vec<&str> = row.split(" | ").collect();
        let picked: Vec<&str> = columns.iter().map(|column| cells[*column]).collect();
        picked.join(" | ")
    };
    let mut picked: Vec<String> = rows.iter().map(picked).collect();
    picked.sort();
    picked
}
