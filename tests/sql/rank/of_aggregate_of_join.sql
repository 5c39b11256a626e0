-- The regions with the most orders.
--- use shop
--- sql
SELECT c.region, COUNT(*) AS n FROM orders AS o JOIN customers AS c ON o.customer = c.customer GROUP BY c.region ORDER BY n DESC, c.region LIMIT 2;
--- rows
region | n
north | 4
NULL | 2
