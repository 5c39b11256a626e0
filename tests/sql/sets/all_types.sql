-- Sides of different types are counted in the wider one.
--- use shop
--- sql
SELECT id FROM orders INTERSECT ALL SELECT customer - 6 FROM customers;
--- rows
id
4
5
6
6
