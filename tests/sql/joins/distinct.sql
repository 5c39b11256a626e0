-- DISTINCT over a join.
--- use shop
--- sql
SELECT DISTINCT c.region FROM orders AS o LEFT JOIN customers AS c ON o.customer = c.customer;
--- rows
region
north
south
NULL
