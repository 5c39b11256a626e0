-- Behind functions over event time the time is still a time attribute.
--- use sales
--- sql
CREATE VIEW numbered AS SELECT ts, ROW_NUMBER() OVER (PARTITION BY shop ORDER BY ts) AS n FROM sales;
SELECT window_start, MAX(n) AS n, COUNT(*) AS c FROM TABLE(TUMBLE(TABLE numbered, DESCRIPTOR(ts), INTERVAL '5' SECOND))
GROUP BY window_start, window_end;
--- rows
window_start | n | c
2026-01-01 00:00:00 | 2 | 4
2026-01-01 00:00:05 | 4 | 5
2026-01-01 00:00:10 | 5 | 3
