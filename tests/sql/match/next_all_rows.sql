-- ALL ROWS PER MATCH: NEXT goes on from each row.
--- use ticks
--- sql
SELECT id, sym, behind FROM ticks MATCH_RECOGNIZE (
  PARTITION BY sym ORDER BY ts
  MEASURES NEXT(id) AS behind
  ALL ROWS PER MATCH
  PATTERN (H+)
  DEFINE H AS price >= 24
) AS m;
--- rows
id | sym | behind
3 | elm | 6
6 | elm | 9
9 | elm | 12
12 | elm | 15
13 | ash | 16
15 | elm | 17
17 | elm | 19
19 | elm | 24
21 | ash | 22
22 | ash | 23
