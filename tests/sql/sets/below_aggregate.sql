-- Counted once each.
--- use shop
--- sql
SELECT COUNT(*) AS n, MIN(customer) AS least
FROM (SELECT customer FROM orders INTERSECT SELECT customer FROM customers);
--- rows
n | least
4 | 10
