-- The best of each window of time.
--- use sales
--- sql
SELECT window_start, item, n FROM (
  SELECT window_start, window_end, item, n, ROW_NUMBER() OVER (PARTITION BY window_start, window_end ORDER BY n DESC, item) AS rn FROM (
    SELECT window_start, window_end, item, COUNT(*) AS n
    FROM TABLE(TUMBLE(TABLE sales, DESCRIPTOR(ts), INTERVAL '5' SECOND)) WHERE item IS NOT NULL
    GROUP BY window_start, window_end, item)
) WHERE rn <= 1;
--- rows
window_start | item | n
2026-01-01 00:00:00 | pen | 2
2026-01-01 00:00:05 | ink | 2
2026-01-01 00:00:10 | cup | 1
