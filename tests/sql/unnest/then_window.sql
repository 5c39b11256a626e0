-- A time attribute stays one.
--- use baskets
--- sql
CREATE VIEW tagged AS SELECT ts, tag FROM baskets LEFT JOIN UNNEST(tags) AS u (tag) ON TRUE;
SELECT window_start, tag, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE tagged, DESCRIPTOR(ts), INTERVAL '2' SECOND))
GROUP BY window_start, window_end, tag;
--- rows
window_start | tag | n
2026-01-01 00:00:00 | red | 1
2026-01-01 00:00:00 | blue | 1
2026-01-01 00:00:00 | NULL | 2
2026-01-01 00:00:02 | red | 2
2026-01-01 00:00:02 | NULL | 1
2026-01-01 00:00:04 | green | 1
