-- GROUP BY over a join.
--- use shop
--- sql
SELECT c.region, COUNT(*) AS n, SUM(o.amount) AS total FROM orders AS o JOIN customers AS c ON o.customer = c.customer GROUP BY c.region;
--- rows
region | n | total
north | 4 | 22
south | 1 | 7
NULL | 2 | 14
