-- ALL ROWS PER MATCH of matches that overlap.
--- use ticks
--- sql
SELECT id, sym, price, mn, f FROM ticks MATCH_RECOGNIZE (
  PARTITION BY sym ORDER BY ts
  MEASURES MATCH_NUMBER() AS mn, FIRST(id) AS f
  ALL ROWS PER MATCH SHOW EMPTY MATCHES
  AFTER MATCH SKIP TO NEXT ROW
  PATTERN (X{2} H)
  DEFINE H AS price >= 20
) AS m;
--- rows
id | sym | price | mn | f
10 | ash | 21 | 1 | 4
10 | ash | 21 | 2 | 7
12 | elm | 26 | 2 | 6
12 | elm | 26 | 3 | 9
12 | elm | 26 | 4 | 12
13 | ash | 25 | 2 | 7
15 | elm | 31 | 3 | 9
15 | elm | 31 | 4 | 12
15 | elm | 31 | 5 | 15
17 | elm | 33 | 4 | 12
17 | elm | 33 | 5 | 15
17 | elm | 33 | 6 | 17
18 | ash | 15 | 3 | 18
19 | elm | 29 | 5 | 15
19 | elm | 29 | 6 | 17
19 | elm | 29 | 7 | 19
20 | ash | 14 | 3 | 18
20 | ash | 14 | 4 | 20
21 | ash | 24 | 3 | 18
21 | ash | 24 | 4 | 20
22 | ash | 25 | 4 | 20
24 | elm | 20 | 6 | 17
24 | elm | 20 | 7 | 19
24 | elm | 20 | 8 | 24
25 | elm | 22 | 7 | 19
25 | elm | 22 | 8 | 24
26 | elm | 21 | 8 | 24
3 | elm | 30 | 1 | 3
4 | ash | 17 | 1 | 4
6 | elm | 28 | 1 | 3
6 | elm | 28 | 2 | 6
7 | ash | 19 | 1 | 4
7 | ash | 19 | 2 | 7
9 | elm | 27 | 1 | 3
9 | elm | 27 | 2 | 6
9 | elm | 27 | 3 | 9
