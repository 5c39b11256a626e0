-- GROUP BY over a join whose rows come and go.
--- use shop
--- sql
SELECT c.region, COUNT(*) AS n, COUNT(c.name) AS known FROM orders AS o LEFT JOIN customers AS c ON o.customer = c.customer GROUP BY c.region;
--- rows
region | n | known
north | 4 | 4
south | 1 | 1
NULL | 4 | 2
