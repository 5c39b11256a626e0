-- NOT IN: a row with NULL is not told either.
--- use shop
--- sql
SELECT id FROM orders WHERE customer NOT IN (SELECT customer FROM customers WHERE customer IS NOT NULL);
--- rows
id
5
