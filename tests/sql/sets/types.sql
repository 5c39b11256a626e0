-- Sides of different types are compared in the wider one.
--- use shop
--- sql
SELECT id FROM orders INTERSECT SELECT customer - 8 FROM customers;
--- rows
id
2
3
4
6
