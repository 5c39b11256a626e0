-- TUMBLE_ROWTIME is a time attribute for the next window.
--- use bids
--- sql
SELECT TUMBLE_END(rt, INTERVAL '20' SECOND) AS e, COUNT(*) AS windows, SUM(n) AS n
FROM (SELECT TUMBLE_ROWTIME(ts, INTERVAL '10' SECOND) AS rt, COUNT(*) AS n FROM bids GROUP BY TUMBLE(ts, INTERVAL '10' SECOND))
GROUP BY TUMBLE(rt, INTERVAL '20' SECOND);
--- rows
e | windows | n
2026-01-01 00:00:20 | 2 | 8
2026-01-01 00:00:40 | 2 | 2
