-- MIN and MAX of texts, dates and booleans' counts.
--- use bids
--- sql
SELECT window_start, MIN(item) AS a, MAX(item) AS z, MIN(ts) AS first_, MAX(ts) AS last_
FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '20' SECOND)) GROUP BY window_start, window_end;
--- rows
window_start | a | z | first_ | last_
2026-01-01 00:00:00 | cup | pen | 2026-01-01 00:00:01 | 2026-01-01 00:00:19.999
2026-01-01 00:00:20 | cup | pen | 2026-01-01 00:00:20 | 2026-01-01 00:00:33
