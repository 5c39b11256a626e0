-- Without PARTITION BY all rows are one partition.
--- use ticks
--- sql
SELECT * FROM ticks MATCH_RECOGNIZE (
  ORDER BY ts
  MEASURES FIRST(id) AS a, LAST(id) AS b, LAST(sym) AS s
  PATTERN (L H+ L)
  DEFINE L AS price < 20, H AS price >= 20
) AS m;
--- rows
a | b | s
14 | 16 | ash
18 | 20 | ash
2 | 4 | ash
23 | 27 | oak
8 | 11 | oak
