-- A table joined with itself.
--- use shop
--- sql
SELECT a.id, b.id AS later FROM orders AS a JOIN orders AS b ON a.customer = b.customer AND a.id < b.id;
--- rows
id | later
1 | 3
