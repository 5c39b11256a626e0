-- Any three rows: which they are is not said.
--- use shop
--- sql
SELECT c.name, o.id FROM customers AS c CROSS JOIN LATERAL (SELECT id FROM orders WHERE customer = c.customer LIMIT 3) AS o;
--- error
LV-1011
LIMIT and without ORDER BY
line 1, column
