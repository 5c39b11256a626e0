-- Seconds before and behind.
--- use sales
--- sql
SELECT id, COUNT(*) OVER (ORDER BY ts RANGE BETWEEN INTERVAL '2' SECOND PRECEDING AND INTERVAL '1' SECOND FOLLOWING) AS n FROM sales;
--- rows
id | n
4 | 2
2 | 3
8 | 4
5 | 4
1 | 4
12 | 3
10 | 3
7 | 4
3 | 4
9 | 4
11 | 4
6 | 3
