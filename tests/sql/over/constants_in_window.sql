-- What is the same for all rows tells nothing.
--- use sales
--- sql
SELECT id, COUNT(*) OVER (PARTITION BY 1 ORDER BY ts) AS n FROM sales;
--- rows
id | n
4 | 1
2 | 2
8 | 3
5 | 4
1 | 5
12 | 6
10 | 7
7 | 8
3 | 9
9 | 10
11 | 11
6 | 12
