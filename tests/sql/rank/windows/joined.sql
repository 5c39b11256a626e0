-- The best bid of a window with how many there were in it.
--- use bids
--- sql
CREATE VIEW windowed AS SELECT * FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND));
SELECT a.window_start, a.price, b.n FROM (
  SELECT * FROM windowed QUALIFY ROW_NUMBER() OVER (PARTITION BY window_start, window_end ORDER BY price DESC NULLS LAST, ts) = 1
) AS a JOIN (
  SELECT window_start, window_end, COUNT(*) AS n FROM windowed GROUP BY window_start, window_end
) AS b ON a.window_start = b.window_start AND a.window_end = b.window_end;
--- rows
window_start | price | n
2026-01-01 00:00:00 | 7 | 4
2026-01-01 00:00:10 | 9 | 4
2026-01-01 00:00:20 | 1 | 1
2026-01-01 00:00:30 | 8 | 1
