-- Only some rows count.
--- use sales
--- sql
SELECT id, COUNT(*) FILTER (WHERE `open`) OVER (PARTITION BY shop ORDER BY ts) AS n, SUM(amount) FILTER (WHERE amount > 5) OVER (ORDER BY ts ROWS 4 PRECEDING) AS s FROM sales;
--- rows
id | n | s
5 | 1 | 14
9 | 1 | 23
4 | 0 | NULL
1 | 1 | 14
7 | 1 | 8
3 | 1 | 17
11 | 2 | 32
2 | 0 | 7
8 | 1 | 14
12 | 1 | 14
6 | 2 | 32
10 | 1 | 7
