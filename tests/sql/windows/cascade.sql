-- A window over windows, on window_time.
--- use bids
--- sql
CREATE VIEW seconds AS
SELECT window_time AS wt, auction, COUNT(*) AS n, SUM(price) AS s
FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '5' SECOND))
GROUP BY window_start, window_end, window_time, auction;
SELECT window_start, window_end, COUNT(*) AS parts, SUM(n) AS n, SUM(s) AS s
FROM TABLE(TUMBLE(TABLE seconds, DESCRIPTOR(wt), INTERVAL '20' SECOND))
GROUP BY window_start, window_end;
--- rows
window_start | window_end | parts | n | s
2026-01-01 00:00:00 | 2026-01-01 00:00:20 | 7 | 8 | 41
2026-01-01 00:00:20 | 2026-01-01 00:00:40 | 2 | 2 | 9
