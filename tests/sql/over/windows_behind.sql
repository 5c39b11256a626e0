-- Windows over rows with a running number; the time is still that of the rows.
--- use sales
--- sql
CREATE VIEW numbered AS SELECT ts, ROW_NUMBER() OVER (PARTITION BY shop ORDER BY ts) AS rn, SUM(amount) OVER (PARTITION BY shop ORDER BY ts) AS v FROM sales;
SELECT window_start, SUM(rn) AS s, MAX(v) AS m FROM TABLE(TUMBLE(TABLE numbered, DESCRIPTOR(ts), INTERVAL '5' SECOND)) GROUP BY window_start, window_end;
--- rows
window_start | s | m
2026-01-01 00:00:00 | 5 | 14
2026-01-01 00:00:05 | 13 | 27
2026-01-01 00:00:10 | 11 | 36
