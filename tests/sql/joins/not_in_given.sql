-- NOT IN where neither side is NULL.
--- use shop
--- sql
SELECT id FROM orders WHERE customer IS NOT NULL AND customer NOT IN (SELECT customer FROM customers WHERE customer IS NOT NULL);
--- rows
id
5
