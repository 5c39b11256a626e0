-- A subquery within a subquery.
--- use shop
--- sql
SELECT r.head, x.name, x.id FROM regions AS r CROSS JOIN LATERAL (
  SELECT c.name, o.id FROM customers AS c CROSS JOIN LATERAL (
    SELECT id FROM orders WHERE orders.customer = c.customer AND amount > 3) AS o WHERE c.region = r.region) AS x;
--- rows
head | name | id
Nora | Ada | 1
Nora | Cy | 6
Nora | Cy | 6
Sol | Ben | 2
