-- A default is of the type of the values.
--- use sales
--- sql
SELECT id, LAG(price, 1, 0) OVER w AS p, LAG(CAST(amount AS BIGINT), 1, 7) OVER w AS a FROM sales WINDOW w AS (PARTITION BY shop ORDER BY ts);
--- rows
id | p | a
5 | 0.00 | 7
9 | 3.10 | 3
4 | 0.00 | 7
1 | 10.00 | 5
7 | 1.50 | 5
3 | NULL | 8
11 | 0.75 | 9
2 | 0.00 | 7
8 | 2.25 | 7
12 | -1.00 | 7
6 | 2.20 | 2
10 | 0.00 | 7
