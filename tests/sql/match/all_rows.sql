-- ALL ROWS PER MATCH: measures run along, but those with FINAL.
--- use ticks
--- sql
SELECT id, sym, c, mn, n, l, fl, fh, s FROM ticks MATCH_RECOGNIZE (
  PARTITION BY sym ORDER BY ts
  MEASURES CLASSIFIER() AS c, MATCH_NUMBER() AS mn, COUNT(*) AS n, LAST(L.price) AS l, FINAL LAST(L.price) AS fl, FINAL COUNT(H.id) AS fh, RUNNING SUM(price) AS s
  ALL ROWS PER MATCH
  PATTERN (H+ L{1,2})
  DEFINE L AS price < 20, H AS price >= 20
) AS m;
--- rows
id | sym | c | mn | n | l | fl | fh | s
10 | ash | H | 1 | 1 | NULL | 15 | 2 | 21
13 | ash | H | 1 | 2 | NULL | 15 | 2 | 46
16 | ash | L | 1 | 3 | 18 | 15 | 2 | 64
18 | ash | L | 1 | 4 | 15 | 15 | 2 | 79
21 | ash | H | 2 | 1 | NULL | 19 | 2 | 24
22 | ash | H | 2 | 2 | NULL | 19 | 2 | 49
23 | ash | L | 2 | 3 | 19 | 19 | 2 | 68
