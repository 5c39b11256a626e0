-- Without MEASURES there is a row for each match.
--- use ticks
--- sql
SELECT * FROM ticks MATCH_RECOGNIZE (
  PARTITION BY sym ORDER BY ts
  PATTERN (L H)
  DEFINE L AS price < 20, H AS price >= 20
) AS m;
--- rows
sym
ash
ash
