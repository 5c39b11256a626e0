-- Sums of doubles.
--- use sales
--- sql
SELECT id, SUM(CAST(amount AS DOUBLE) / 4) OVER w AS s, AVG(CAST(amount AS DOUBLE)) OVER w AS a FROM sales WINDOW w AS (PARTITION BY shop ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW);
--- rows
id | s | a
5 | 0.75 | 3.0
9 | 2.25 | 4.5
1 | 1.25 | 5.0
3 | 3.5 | 7.0
4 | 3.5 | 7.0
7 | 3.25 | 6.5
11 | 4.25 | 8.5
2 | 1.75 | 7.0
6 | 1.75 | 7.0
8 | 1.75 | 7.0
12 | 2.25 | 4.5
10 | 1.0 | 4.0
