-- A correlated scalar subquery: no row counts as zero, and has no maximum.
--- use shop
--- sql
SELECT o.id, (SELECT COUNT(*) FROM customers AS c WHERE c.customer = o.customer) AS n,
  (SELECT MAX(c.least) FROM customers AS c WHERE c.customer = o.customer) AS least FROM orders AS o;
--- rows
id | n | least
1 | 1 | 4
2 | 1 | 8
3 | 1 | 4
4 | 0 | NULL
5 | 0 | NULL
6 | 2 | 7
6 | 2 | 7
