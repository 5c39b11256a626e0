-- Doubles.
--- use sales
--- sql
SELECT id, SUM(CAST(amount AS DOUBLE) / 4) OVER (PARTITION BY shop ORDER BY ts ROWS 1 PRECEDING) AS s FROM sales;
--- rows
id | s
5 | 0.75
9 | 2.25
4 | 1.25
1 | 2.5
7 | 3.25
3 | 4.25
11 | 4.5
2 | 1.75
8 | 3.5
12 | 2.25
6 | 0.5
10 | 1.0
