use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use levada_engine::ErrorKind;
use levada_engine::connector::SinkContext;
use levada_engine::metrics::SubtaskMetrics;
use levada_engine::time::SystemClock;
use tempfile::TempDir;

use crate::server::*;

/// A server that the test may kill.
struct Server {
    folder: TempDir,
    address: String,
}

impl Server {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // The server may run as another user, who must get to its data.
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o711);
        std::fs::set_permissions(folder.path(), open).unwrap();
        let mut server = Self {
            folder,
            address: String::new(),
        };
        server.address = server.tool("start");
        server
    }

    fn tool(&self, command: &str) -> String {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/support/postgres.sh");
        let output = Command::new(script)
            .arg(command)
            .arg("--dir")
            .arg(self.folder.path().join("server"))
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap().trim().to_string()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.tool("stop");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn a_server_that_is_killed_and_comes_back_costs_no_row() {
    let server = Server::start();
    let database = Database::at(&server.address).await;
    database
        .run("CREATE TABLE t (id BIGINT, v TEXT); CREATE TABLE keyed (id BIGINT PRIMARY KEY, v TEXT)")
        .await;
    let keyed_name = format!("{}.keyed", database.schema);
    let retries = ("sink.max-retries", "20");
    let plain = database.table(schema(), &[retries]);
    let keyed = database.keyed(schema(), &[retries, ("table-name", &keyed_name)]);
    let metrics = Arc::new(SubtaskMetrics::default());
    let context = SinkContext {
        clock: Arc::new(SystemClock),
        metrics: Arc::clone(&metrics),
        ..sink_context(schema(), 0)
    };
    let mut once = sink(&plain, context.clone());
    let mut upsert = sink(&keyed, context);
    once.open().await.unwrap();
    upsert.open().await.unwrap();
    let watched = Arc::clone(&metrics);
    let watcher = tokio::spawn(async move {
        for _ in 0..3000 {
            if let Some(trouble) = watched.snapshot().trouble {
                return trouble;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        String::new()
    });
    for checkpoint in 1..=6u64 {
        let first = checkpoint as i64 * 1000;
        let rows = batch((first..first + 1000).map(|id| (id, "x")));
        once.write(&rows).await.unwrap();
        upsert.write(&rows).await.unwrap();
        if checkpoint % 2 == 0 {
            server.tool("kill");
            let folder = server.folder.path().join("server");
            let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/support/postgres.sh");
            // It comes back while the sinks are trying.
            let mut starting = Command::new("sh")
                .args([
                    "-c",
                    "sleep 1; exec \"$0\" start --dir \"$1\" >/dev/null",
                    script,
                ])
                .arg(folder)
                .spawn()
                .unwrap();
            upsert.prepare(checkpoint).await.unwrap();
            let prepared = once.prepare(checkpoint).await.unwrap();
            once.commit(prepared).await.unwrap();
            starting.wait().unwrap();
        } else {
            upsert.prepare(checkpoint).await.unwrap();
            let prepared = once.prepare(checkpoint).await.unwrap();
            once.commit(prepared).await.unwrap();
        }
    }
    let trouble = watcher.await.unwrap();
    assert!(
        trouble.contains("does not serve") && trouble.contains("trying again"),
        "{trouble}"
    );
    assert_eq!(metrics.snapshot().trouble, None);
    let client = connect(&server.address).await;
    for table in ["t", "keyed"] {
        let sql = format!(
            "SELECT count(*), count(DISTINCT id) FROM {}.{table}",
            database.schema
        );
        let row = client.query_one(&sql, &[]).await.unwrap();
        assert_eq!(
            (row.get::<_, i64>(0), row.get::<_, i64>(1)),
            (6000, 6000),
            "{table}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn reading_goes_on_behind_the_last_row_when_the_server_comes_back() {
    let server = Server::start();
    let database = Database::at(&server.address).await;
    database
        .run("CREATE TABLE t (id BIGINT, v TEXT); INSERT INTO t SELECT n, repeat('x', 1000) FROM generate_series(0, 29999) n; CHECKPOINT")
        .await;
    let table = database.table(schema(), &[("sink.max-retries", "20")]);
    let mut source = source(&table, source_context(schema(), (0, 1), None))
        .await
        .unwrap();
    let (rows, _) = some(source.as_mut(), 10).await.unwrap();
    let mut found = ids(&rows);
    server.tool("kill");
    server.tool("start");
    found.extend(ids(&all(source.as_mut()).await));
    assert_eq!(found, (0..30_000).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn a_server_that_stays_away_is_an_error_that_a_restart_may_help() {
    let server = Server::start();
    let database = Database::at(&server.address).await;
    database.run("CREATE TABLE t (id BIGINT, v TEXT)").await;
    let options = [
        ("sink.max-retries", "1"),
        ("connection.max-retry-timeout", "1 s"),
    ];
    let table = database.table(schema(), &options);
    let context = SinkContext {
        clock: Arc::new(SystemClock),
        ..sink_context(schema(), 0)
    };
    let mut sink = sink(&table, context.clone());
    sink.open().await.unwrap();
    sink.write(&batch([(1, "a")])).await.unwrap();
    let prepared = sink.prepare(1).await.unwrap();
    server.tool("stop");
    let error = sink.commit(prepared).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Connector, "{error}");
    assert!(
        error.kind.retryable() && error.message.contains(&server.address),
        "{error}"
    );
    let mut unopened = crate::server::sink(&table, context);
    let error = unopened.open().await.unwrap_err();
    assert!(error.message.contains("cannot be reached"), "{error}");
}
