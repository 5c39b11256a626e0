-- An order that is the same for all rows: all are equal in it.
--- use sales
--- sql
SELECT id, COUNT(*) OVER (PARTITION BY shop ORDER BY shop) AS n, RANK() OVER (PARTITION BY shop ORDER BY shop) AS r FROM sales;
--- rows
id | n | r
5 | 2 | 1
9 | 2 | 1
1 | 5 | 1
3 | 5 | 1
4 | 5 | 1
7 | 5 | 1
11 | 5 | 1
2 | 4 | 1
6 | 4 | 1
8 | 4 | 1
12 | 4 | 1
10 | 1 | 1
