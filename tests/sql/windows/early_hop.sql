-- Early results of overlapping windows, after a delay.
--- use ticks
--- sql
SET 'table.exec.emit.early-fire.enabled' = 'true';
SET 'table.exec.emit.early-fire.delay' = '2 ms';
SELECT window_start, COUNT(*) AS n, SUM(price) AS s
FROM TABLE(HOP(TABLE ticks, DESCRIPTOR(ts), INTERVAL '2' MINUTE, INTERVAL '4' MINUTE)) GROUP BY window_start, window_end;
--- rows
window_start | n | s
2026-03-01 09:58:00 | 6 | 92
2026-03-01 10:00:00 | 12 | 195
2026-03-01 10:02:00 | 11 | 218
2026-03-01 10:04:00 | 8 | 173
2026-03-01 10:06:00 | 5 | 107
2026-03-01 10:08:00 | 3 | 68
2026-03-01 10:10:00 | 1 | 19
2026-03-01 10:18:00 | 2 | 42
2026-03-01 10:20:00 | 3 | 63
2026-03-01 10:22:00 | 1 | 21
2026-03-01 11:02:00 | 2 | 11
2026-03-01 11:04:00 | 2 | 11
