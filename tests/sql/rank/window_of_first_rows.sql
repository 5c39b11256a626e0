-- Windows over rows of which each group has its first.
--- use sales
--- sql
CREATE VIEW firsts AS SELECT ts FROM sales QUALIFY ROW_NUMBER() OVER (PARTITION BY id ORDER BY PROCTIME()) = 1;
SELECT window_start, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE firsts, DESCRIPTOR(ts), INTERVAL '5' SECOND)) GROUP BY window_start, window_end;
--- rows
window_start | n
2026-01-01 00:00:00 | 4
2026-01-01 00:00:05 | 5
2026-01-01 00:00:10 | 3
