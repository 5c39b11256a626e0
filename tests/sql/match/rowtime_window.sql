-- MATCH_ROWTIME() is a time attribute: matches in windows.
--- use ticks
--- sql
CREATE VIEW hits AS SELECT sym, at FROM ticks MATCH_RECOGNIZE (
  PARTITION BY sym ORDER BY ts
  MEASURES MATCH_ROWTIME() AS at
  AFTER MATCH SKIP TO NEXT ROW
  PATTERN (L H)
  DEFINE L AS price < 20, H AS price >= 20
);
SELECT window_start, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE hits, DESCRIPTOR(at), INTERVAL '10' MINUTE)) GROUP BY window_start, window_end;
--- rows
window_start | n
2026-03-01 10:00:00 | 2
