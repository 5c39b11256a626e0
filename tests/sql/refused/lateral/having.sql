-- HAVING drops the row of no rows.
--- use shop
--- sql
SELECT c.name, o.n FROM customers AS c CROSS JOIN LATERAL (SELECT COUNT(*) AS n FROM orders WHERE customer = c.customer HAVING COUNT(*) = 0) AS o;
--- error
LV-1011
HAVING
line 1, column
