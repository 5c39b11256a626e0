-- NOT IN over values one of which is NULL: nobody knows.
--- use shop
--- sql
SELECT id FROM orders WHERE customer NOT IN (SELECT customer FROM customers);
--- rows
id
