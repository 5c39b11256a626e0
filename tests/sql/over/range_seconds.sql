-- The last four seconds of event time.
--- use sales
--- sql
SELECT id, COUNT(*) OVER (PARTITION BY shop ORDER BY ts RANGE BETWEEN INTERVAL '4' SECOND PRECEDING AND CURRENT ROW) AS n, SUM(amount) OVER (PARTITION BY shop ORDER BY ts RANGE BETWEEN INTERVAL '4' SECOND PRECEDING AND CURRENT ROW) AS s FROM sales;
--- rows
id | n | s
5 | 1 | 3
9 | 1 | 6
4 | 1 | 5
1 | 2 | 10
7 | 2 | 13
3 | 3 | 22
11 | 3 | 26
2 | 1 | 7
8 | 2 | 14
12 | 3 | 16
6 | 1 | NULL
10 | 1 | 4
