-- Windows of three rows of a symbol, aggregated; what is left over at the end is in none.
--- use ticks
--- sql
SELECT sym, window_start, window_end, COUNT(*) AS n, SUM(price) AS s, MIN(id) AS low, COUNT(DISTINCT qty) AS d FROM TABLE(COUNT_TUMBLE(TABLE ticks PARTITION BY sym ORDER BY ts, SIZE => 3)) GROUP BY sym, window_start, window_end;
--- rows
sym | window_start | window_end | n | s | low | d
ash | 1 | 3 | 3 | 48 | 1 | 2
ash | 4 | 6 | 3 | 64 | 10 | 3
ash | 7 | 9 | 3 | 53 | 18 | 2
elm | 1 | 3 | 3 | 85 | 3 | 2
elm | 4 | 6 | 3 | 90 | 12 | 2
elm | 7 | 9 | 3 | 71 | 19 | 2
oak | 1 | 3 | 3 | 11 | 2 | 2
oak | 4 | 6 | 3 | 21 | 11 | 1
