-- Over what OVER gave.
--- use sales
--- sql
SELECT id, SUM(n) OVER (ORDER BY id) AS s FROM (SELECT id, ROW_NUMBER() OVER (PARTITION BY shop ORDER BY ts DESC) AS n FROM sales);
--- rows
id | s
1 | 4
2 | 8
3 | 10
4 | 15
5 | 17
6 | 18
7 | 21
8 | 24
9 | 25
10 | 26
11 | 27
12 | 29
