//! Lookup joins with a table of PostgreSQL: the rows of batch mode, what a cache saves and for how long, and answers
//! that do not come.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use levada_tests::postgres::Server;
use levada_tests::process;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

const ROWS: usize = 3000;

/// Columns and conditions of a join of `t` with `p`, `c` or `v`.
const JOINS: [&str; 9] = [
    "t.id, p.name FROM t JOIN p FOR SYSTEM_TIME AS OF t.pt AS p ON t.k = p.k",
    "t.id, p.name, p.day FROM t LEFT JOIN p FOR SYSTEM_TIME AS OF t.pt AS p ON t.k = p.k AND t.g = p.g",
    "t.id, p.price FROM t LEFT JOIN p FOR SYSTEM_TIME AS OF t.pt AS p ON p.g = 'g3' AND p.k = t.k + 1",
    "t.id, p.k FROM t JOIN p FOR SYSTEM_TIME AS OF t.pt AS p ON t.price = p.price AND t.k > p.k",
    "t.id, p.name FROM t JOIN p FOR SYSTEM_TIME AS OF t.pt AS p ON t.day = p.day AND t.ok = p.ok AND p.k < 5",
    "t.id, p.day FROM t LEFT JOIN p FOR SYSTEM_TIME AS OF t.pt AS p ON t.at = p.at WHERE t.g <> 'g1'",
    "t.id, c.more FROM t LEFT JOIN c FOR SYSTEM_TIME AS OF t.pt AS c ON t.id = c.id",
    "t.id, v.called FROM t LEFT JOIN v FOR SYSTEM_TIME AS OF t.pt AS v ON t.k = v.number AND v.twice > 4",
    "q.name, COUNT(*), MAX(c.more) FROM t JOIN p FOR SYSTEM_TIME AS OF t.pt AS q ON t.k = q.k \
     LEFT JOIN c FOR SYSTEM_TIME AS OF t.pt AS c ON q.k = c.id GROUP BY q.name",
];

/// Rows of which some have NULLs, and keys that nobody has.
fn write_input(folder: &Path, chance: &mut SmallRng) {
    std::fs::create_dir_all(folder).unwrap();
    let mut files = vec![String::new(); 3];
    for id in 0..ROWS {
        let or_null = |text: String, chance: &mut SmallRng| match chance.random_bool(0.1) {
            true => "null".to_string(),
            false => text,
        };
        let k = or_null(chance.random_range(0..40).to_string(), chance);
        let g = or_null(format!("\"g{}\"", chance.random_range(0..6)), chance);
        let n = chance.random_range(0..20);
        let line = format!(
            "{{\"id\":{id},\"k\":{k},\"g\":{g},\"price\":{n}.50,\"day\":\"2026-01-{:02}\",\"ok\":{},\"at\":\"2026-01-01 00:00:{n:02}.125\"}}\n",
            n + 1,
            n % 3 == 0,
        );
        files[chance.random_range(0..3)].push_str(&line);
    }
    for (number, content) in files.iter().enumerate() {
        std::fs::write(folder.join(format!("{number}.json")), content).unwrap();
    }
}

/// The rows of a script whose last statement is a query.
fn run(options: &[&str], script: &str) -> Vec<String> {
    let output = process::sql(options, script);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {error}");
    let text = String::from_utf8(output.stdout).unwrap();
    let mut lines: Vec<String> = text.lines().skip(1).map(str::to_string).collect();
    lines.sort();
    lines
}

/// The tables of [`JOINS`]; `cache` has the options of those that are asked.
fn tables(server: &Server, cache: &str) -> String {
    let columns = "k INT, g STRING, name STRING, price DECIMAL(10, 2), `day` DATE, ok BOOLEAN, `at` TIMESTAMP(3)";
    let input = server.folder().join("input");
    format!(
        "CREATE TABLE t (id INT, k INT, g STRING, price DECIMAL(10, 2), `day` DATE, ok BOOLEAN, `at` TIMESTAMP(3), pt AS PROCTIME())
         WITH ('connector' = 'filesystem', 'path' = '{}', 'format' = 'json');
         CREATE TABLE p ({columns}) {};
         CREATE TABLE c (id BIGINT, more STRING, PRIMARY KEY (id) NOT ENFORCED) {};
         CREATE VIEW v AS SELECT name AS called, k AS number, k * 2 AS twice FROM p WHERE g <> 'g2';",
        input.display(),
        server.options("p", cache),
        server.options("c", cache),
    )
}

#[test]
#[ignore = "needs PostgreSQL"]
fn streams_find_the_rows_that_batch_mode_joins() {
    let mut chance = SmallRng::seed_from_u64(levada_tests::seed());
    let server = Server::start();
    write_input(&server.folder().join("input"), &mut chance);
    server.sql(
        "CREATE TABLE p (k int, g varchar(10), name text, price numeric(10, 2), day date, ok boolean, at timestamp);
         INSERT INTO p SELECT NULLIF(n % 30, 7), 'g' || n % 7, 'it''s \\ ' || n, n % 25 + 0.5,
           date '2026-01-01' + n % 25, n % 3 = 0, timestamp '2026-01-01 00:00:00.125' + n % 25 * interval '1 second'
         FROM generate_series(0, 99) AS n;
         CREATE TABLE c (id int PRIMARY KEY, more text);
         INSERT INTO c SELECT n * 2, 'more ' || n FROM generate_series(0, 999) AS n;",
    );
    let read = tables(&server, "");
    for join in JOINS {
        let batch = ["--output", "csv", "--set", "execution.runtime-mode=batch"];
        let expected = run(&batch, &format!("{read} SELECT {join};"));
        assert!(!expected.is_empty(), "{join}");
        for cache in ["NONE", "PARTIAL", "FULL"] {
            let asked = tables(&server, &format!(", 'lookup.cache' = '{cache}'"));
            let parallelism = chance.random_range(1..4);
            let rows = chance.random_range(1..500);
            let settings = format!(
                "SET 'parallelism.default' = '{parallelism}'; SET 'pipeline.batch-rows' = '{rows}';"
            );
            let streaming = ["--output", "csv"];
            let found = run(&streaming, &format!("{settings} {asked} SELECT {join};"));
            assert_eq!(found, expected, "{join}, {cache}, {settings}");
        }
    }
}

/// A job that prints a row for every answer.
struct Printing {
    child: std::process::Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Printing {
    fn start(script: &str) -> Self {
        let mut child = Command::new(process::binary())
            .args(["sql", "--parallelism", "1", "-e", script])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Printing { child, lines }
    }

    /// The next line that has one of two texts: which of them.
    fn next(&mut self, texts: [&str; 2]) -> usize {
        loop {
            let line = self.lines.next().expect("the job goes on").unwrap();
            if let Some(found) = texts.iter().position(|text| line.contains(text)) {
                return found;
            }
        }
    }
}

impl Drop for Printing {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// 200 rows a second with five keys, joined and printed.
fn printing(server: &Server, cache: &str) -> Printing {
    Printing::start(&format!(
        "CREATE TABLE t (id BIGINT, k AS id % 5, pt AS PROCTIME()) WITH ('connector' = 'datagen', 'fields.id.kind' = 'sequence',
           'fields.id.start' = '1', 'fields.id.end' = '1000000', 'rows-per-second' = '200');
         CREATE TABLE c (id BIGINT, v STRING) {};
         CREATE TABLE o (id BIGINT, v STRING) WITH ('connector' = 'print');
         INSERT INTO o SELECT t.id, c.v FROM t JOIN c FOR SYSTEM_TIME AS OF t.pt AS c ON t.k = c.id;",
        server.options("c", cache)
    ))
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_cache_saves_questions_until_its_time_is_over() {
    let server = Server::start();
    server.sql("CREATE TABLE c (id bigint, v text); INSERT INTO c SELECT n, 'first' FROM generate_series(0, 4) AS n;");
    let cache = ", 'lookup.cache' = 'PARTIAL', 'lookup.partial-cache.expire-after-write' = '3 s'";
    let mut job = printing(&server, cache);
    let texts = ["first", "second"];
    assert_eq!(job.next(texts), 0);
    server.sql("UPDATE c SET v = 'second';");
    let updated = Instant::now();
    let mut old = 0;
    while job.next(texts) == 0 {
        old += 1;
        assert!(updated.elapsed() < Duration::from_secs(30));
    }
    assert!(old > 50, "{old} rows were answered from the cache");
    // By then every key has been asked for again.
    for _ in 0..800 {
        job.next(texts);
    }
    assert!((0..200).all(|_| job.next(texts) == 1));
    drop(job);
    // Each question scans the table once; every second some keys, and not 200 rows.
    let scans = || {
        let scans = server.sql("SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'c';");
        scans.trim().parse::<u64>().unwrap()
    };
    let begun = Instant::now();
    while scans() == 0 && begun.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(100));
    }
    let scans = scans();
    assert!((2..60).contains(&scans), "{scans} questions");
}

#[test]
#[ignore = "needs PostgreSQL"]
fn without_a_cache_every_row_sees_what_is_there() {
    let server = Server::start();
    server.sql("CREATE TABLE c (id bigint, v text); INSERT INTO c SELECT n, 'first' FROM generate_series(0, 4) AS n;");
    let mut job = printing(&server, "");
    let texts = ["first", "second"];
    assert_eq!(job.next(texts), 0);
    server.sql("UPDATE c SET v = 'second';");
    // What was printed by then may still be in the pipe.
    while job.next(texts) == 0 {}
    assert!((0..100).all(|_| job.next(texts) == 1));
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_server_that_goes_away_is_asked_again() {
    let server = Server::start();
    server.sql("CREATE TABLE c (id bigint, v text); INSERT INTO c SELECT n, 'first' FROM generate_series(0, 4) AS n;");
    // The job does not restart, so all is due to questions that are repeated.
    let mut job = printing(&server, ", 'lookup.max-retries' = '20'");
    let texts = ["first", "second"];
    assert_eq!(job.next(texts), 0);
    server.restart();
    server.sql("UPDATE c SET v = 'second';");
    // Of the questions that were under way some are asked again later than those behind them were answered.
    let updated = Instant::now();
    while !(0..100).all(|_| job.next(texts) == 1) {
        assert!(updated.elapsed() < Duration::from_secs(60));
    }
}

#[test]
#[ignore = "needs PostgreSQL"]
fn an_answer_that_does_not_come_fails_the_job() {
    let server = Server::start();
    server.sql("CREATE TABLE c (id bigint, v text); INSERT INTO c VALUES (1, 'first');");
    let script = format!(
        "SET 'table.exec.async-lookup.timeout' = '1 s'; SET 'restart-strategy.type' = 'none';
         CREATE TABLE t (id BIGINT, pt AS PROCTIME()) WITH ('connector' = 'datagen', 'fields.id.kind' = 'sequence',
           'fields.id.start' = '1', 'fields.id.end' = '10');
         CREATE TABLE c (id BIGINT, v STRING) {};
         SELECT t.id, c.v FROM t JOIN c FOR SYSTEM_TIME AS OF t.pt AS c ON t.id = c.id;",
        server.options("c", "")
    );
    std::thread::scope(|scope| {
        let locked = scope.spawn(|| {
            server.sql("BEGIN; LOCK TABLE c IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(15); COMMIT;")
        });
        while !server
            .sql("SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND relation = 'c'::regclass;")
            .contains('1')
        {
            std::thread::sleep(Duration::from_millis(50));
        }
        let begun = Instant::now();
        let output = process::sql(&[], &script);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success());
        assert!(
            error.contains("table 'c' has not answered within 1000 ms"),
            "{error}"
        );
        assert!(begun.elapsed() < Duration::from_secs(12), "{error}");
        server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%LOCK TABLE%' AND pid <> pg_backend_pid();");
        // The one who held the lock says that it was thrown out.
        let _ = locked.join();
    });
}
