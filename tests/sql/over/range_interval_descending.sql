-- Distances go along with the order: with DESC, what follows in time is before.
--- use sales
--- sql
SELECT id, COUNT(*) OVER w AS n, SUM(amount) OVER w AS s FROM sales WINDOW w AS (PARTITION BY item ORDER BY ts DESC RANGE BETWEEN INTERVAL '3' SECOND PRECEDING AND INTERVAL '2' SECOND FOLLOWING);
--- rows
id | n | s
7 | 1 | 8
6 | 1 | NULL
10 | 1 | 4
4 | 1 | 5
9 | 2 | 15
3 | 2 | 15
12 | 2 | 11
2 | 1 | 7
11 | 1 | 9
1 | 3 | 15
5 | 3 | 15
8 | 3 | 15
