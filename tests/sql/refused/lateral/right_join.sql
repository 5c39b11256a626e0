-- RIGHT JOIN would need the subquery before the row that it is about.
--- use shop
--- sql
SELECT c.name, o.id FROM customers AS c RIGHT JOIN LATERAL (SELECT id FROM orders WHERE customer = c.customer) AS o ON TRUE;
--- error
LV-1011
LATERAL
line 1, column
