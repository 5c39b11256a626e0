-- Every third row, over the last two.
--- use ticks
--- sql
SELECT window_end, sym, MAX(id) AS m, COUNT(*) AS n FROM TABLE(COUNT_HOP(DATA => TABLE ticks PARTITION BY sym ORDER BY ts, SLIDE => 3, SIZE => 2)) AS w GROUP BY window_end, sym HAVING MAX(id) > 5;
--- rows
window_end | sym | m | n
3 | ash | 7 | 2
3 | elm | 9 | 2
3 | oak | 8 | 2
6 | ash | 16 | 2
6 | elm | 17 | 2
6 | oak | 27 | 2
9 | ash | 21 | 2
9 | elm | 25 | 2
