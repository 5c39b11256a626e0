-- A FULL JOIN with a GROUP BY, one group being NULL.
--- use shop
--- sql
SELECT c.name, t.n, t.total FROM (SELECT customer, COUNT(*) AS n, SUM(amount) AS total FROM orders GROUP BY customer) AS t
FULL JOIN customers AS c ON t.customer = c.customer;
--- rows
name | n | total
Ada | 2 | 8
Ben | 1 | 7
Cy | 2 | 14
Cyn | 2 | 14
NULL | 1 | 9
NULL | 1 | NULL
Eve | NULL | NULL
Nil | NULL | NULL
