-- An aggregate over the windows that an inner query has computed: no new window needed.
--- use bids
--- sql
SELECT window_start, MAX(n) AS busiest
FROM (
  SELECT window_start, window_end, auction, COUNT(*) AS n
  FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND))
  GROUP BY window_start, window_end, auction
) GROUP BY window_start, window_end;
--- rows
window_start | busiest
2026-01-01 00:00:00 | 2
2026-01-01 00:00:10 | 2
2026-01-01 00:00:20 | 1
2026-01-01 00:00:30 | 1
