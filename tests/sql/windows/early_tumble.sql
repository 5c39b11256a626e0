-- Early results are updated until they are those of the whole window.
--- use ticks
--- sql
SET 'table.exec.emit.early-fire.enabled' = 'true';
SELECT sym, window_start, COUNT(*) AS n, SUM(price) AS s, MAX(price) AS m, COUNT(DISTINCT qty) AS d
FROM TABLE(TUMBLE(TABLE ticks, DESCRIPTOR(ts), INTERVAL '5' MINUTE)) GROUP BY sym, window_start, window_end;
--- rows
sym | window_start | n | s | m | d
ash | 2026-03-01 10:00:00 | 5 | 94 | 25 | 3
ash | 2026-03-01 10:05:00 | 5 | 96 | 25 | 2
ash | 2026-03-01 10:10:00 | 1 | 19 | 19 | 1
elm | 2026-03-01 10:00:00 | 5 | 142 | 31 | 3
elm | 2026-03-01 10:05:00 | 2 | 62 | 33 | 2
elm | 2026-03-01 10:20:00 | 3 | 63 | 22 | 2
oak | 2026-03-01 10:00:00 | 5 | 23 | 8 | 2
oak | 2026-03-01 11:00:00 | 1 | 9 | 9 | 1
oak | 2026-03-01 11:05:00 | 1 | 2 | 2 | 1
