//! ORDER BY a time column without LIMIT: rows of a stream come in order, all of them.

use levada_tests::process;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

#[test]
fn rows_of_a_stream_come_in_the_order_of_their_time() {
    let mut chance = SmallRng::seed_from_u64(levada_tests::seed());
    let folder = tempfile::tempdir().unwrap();
    let mut expected = Vec::new();
    for file in 0..3 {
        let mut text = String::new();
        for row in 0..1000 {
            // Up to 5 seconds out of order.
            let ms = row * 50 + chance.random_range(0..5000);
            let ts = format!(
                "2026-01-01 00:{:02}:{:02}.{:03}",
                ms / 60_000,
                ms / 1000 % 60,
                ms % 1000
            );
            let v = chance.random_range(0..3);
            text.push_str(&format!(
                "{{\"id\":{},\"v\":{v},\"ts\":\"{ts}\"}}\n",
                file * 1000 + row
            ));
            expected.push(format!("{ts},{v}"));
        }
        std::fs::write(folder.path().join(format!("{file}.json")), text).unwrap();
    }
    // Descending by the second column.
    expected.sort_by(|a, b| {
        let ((a, v), (b, w)) = (a.rsplit_once(',').unwrap(), b.rsplit_once(',').unwrap());
        a.cmp(b).then(w.cmp(v))
    });
    for (parallelism, backend) in [(1, "memory"), (3, "disk"), (2, "rocksdb")] {
        let script = format!(
            "SET 'parallelism.default' = '{parallelism}'; SET 'state.backend.type' = '{backend}'; SET 'pipeline.batch-rows' = '64';
             CREATE TABLE t (id INT, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
             WITH ('connector' = 'filesystem', 'path' = '{}', 'format' = 'json');
             SELECT ts, v FROM t ORDER BY ts, v DESC;",
            folder.path().display()
        );
        let output = process::sql(&["--output", "csv"], &script);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{error}");
        let text = String::from_utf8(output.stdout).unwrap();
        let found: Vec<&str> = text.lines().skip(1).collect();
        assert_eq!(found, expected, "parallelism {parallelism}, {backend}");
    }
}
