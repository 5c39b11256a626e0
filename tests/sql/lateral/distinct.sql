-- DISTINCT is of the rows for one row of the left side.
--- use shop
--- sql
SELECT c.name, o.amount
FROM customers AS c CROSS JOIN LATERAL (SELECT DISTINCT amount FROM orders WHERE customer = c.customer) AS o;
--- rows
name | amount
Ada | 5
Ada | 3
Ben | 7
Cy | 7
Cyn | 7
