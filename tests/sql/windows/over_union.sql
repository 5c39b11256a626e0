-- A window over the union of two streams: their watermarks merge by the minimum.
--- use bids
--- use timed
--- sql
CREATE VIEW both_streams AS SELECT ts, price AS v FROM bids UNION ALL SELECT ts, v FROM timed;
SELECT window_start, COUNT(*) AS n, SUM(v) AS s
FROM TABLE(TUMBLE(TABLE both_streams, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end;
--- rows
window_start | n | s
1969-12-31 23:59:00 | 3 | 7
1970-01-01 00:00:00 | 3 | 8
2026-01-01 00:00:00 | 10 | 50
