-- A view with values, read twice.
--- use sales
--- sql
CREATE VIEW sums AS SELECT id, SUM(amount) OVER (ORDER BY id) AS s FROM sales;
SELECT a.id, a.s, b.s AS other FROM sums AS a JOIN sums AS b ON a.id = b.id + 1;
--- rows
id | s | other
2 | 12 | 5
3 | 21 | 12
4 | 26 | 21
5 | 29 | 26
6 | 29 | 29
7 | 37 | 29
8 | 44 | 37
9 | 50 | 44
10 | 54 | 50
11 | 63 | 54
12 | 65 | 63
