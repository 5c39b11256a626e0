-- Values between a window and its aggregation.
--- use sales
--- sql
SELECT window_start, window_end, COUNT(*) AS n, MAX(rn) AS rn FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY shop ORDER BY ts) AS rn FROM TABLE(TUMBLE(TABLE sales, DESCRIPTOR(ts), INTERVAL '5' SECOND))
) GROUP BY window_start, window_end;
--- rows
window_start | window_end | n | rn
2026-01-01 00:00:00 | 2026-01-01 00:00:05 | 4 | 2
2026-01-01 00:00:05 | 2026-01-01 00:00:10 | 5 | 4
2026-01-01 00:00:10 | 2026-01-01 00:00:15 | 3 | 5
