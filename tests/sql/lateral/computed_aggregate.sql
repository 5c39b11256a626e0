-- An aggregate and a column of the left side in one expression.
--- use shop
--- sql
SELECT c.name, o.n, o.total
FROM customers AS c, LATERAL (
  SELECT COUNT(*) + c.least AS n, SUM(amount) AS total FROM orders WHERE customer = c.customer) AS o;
--- rows
name | n | total
Ada | 6 | 8
Ben | 9 | 7
Cy | 3 | 14
Cyn | 9 | 14
Eve | NULL | NULL
Nil | 2 | NULL
