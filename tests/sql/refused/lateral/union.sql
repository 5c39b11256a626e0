-- Conditions below UNION.
--- use shop
--- sql
SELECT c.name, o.id FROM customers AS c CROSS JOIN LATERAL (
  SELECT id FROM orders WHERE customer = c.customer UNION ALL SELECT least FROM customers AS d WHERE d.customer = c.customer) AS o;
--- error
LV-1011
below UNION
line 2, column
