-- Which bids come first differs from run to run, how many there are of a window does not.
--- use bids
--- sql
CREATE VIEW firsts AS SELECT * FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND))
QUALIFY ROW_NUMBER() OVER (PARTITION BY window_start, window_end ORDER BY PROCTIME()) <= 2;
SELECT window_start, COUNT(*) AS n FROM firsts GROUP BY window_start, window_end;
--- rows
window_start | n
2026-01-01 00:00:00 | 2
2026-01-01 00:00:10 | 2
2026-01-01 00:00:20 | 1
2026-01-01 00:00:30 | 1
