-- Matches of two patterns joined.
--- use ticks
--- sql
SELECT a.sym, a.x, b.y FROM ticks MATCH_RECOGNIZE (
  PARTITION BY sym ORDER BY ts MEASURES COUNT(*) AS x, MATCH_NUMBER() AS k PATTERN (L+ H) DEFINE L AS price < 20, H AS price >= 20
) AS a JOIN ticks MATCH_RECOGNIZE (
  PARTITION BY sym ORDER BY ts MEASURES COUNT(*) AS y, MATCH_NUMBER() AS k PATTERN (H+ L) DEFINE L AS price < 20, H AS price >= 20
) AS b ON a.sym = b.sym AND a.k = b.k;
--- rows
sym | x | y
ash | 4 | 3
ash | 4 | 3
