-- An aggregate without GROUP BY has a row for each row of the left side, also where nothing is compared.
--- use shop
--- sql
SELECT c.name, o.n, o.total, o.some
FROM customers AS c CROSS JOIN LATERAL (
  SELECT COUNT(*) AS n, SUM(amount) AS total, COUNT(amount) + 10 AS some FROM orders WHERE customer = c.customer) AS o;
--- rows
name | n | total | some
Ada | 2 | 8 | 12
Ben | 1 | 7 | 11
Cy | 2 | 14 | 12
Cyn | 2 | 14 | 12
Eve | 0 | NULL | 10
Nil | 0 | NULL | 10
