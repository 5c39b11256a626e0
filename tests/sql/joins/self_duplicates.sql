-- Rows that are there twice, joined with themselves.
--- use shop
--- sql
SELECT a.id, COUNT(*) AS n FROM orders AS a JOIN orders AS b ON a.id = b.id GROUP BY a.id;
--- rows
id | n
1 | 1
2 | 1
3 | 1
4 | 1
5 | 1
6 | 4
