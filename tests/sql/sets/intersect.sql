-- Customers that are on both sides, each once; NULL equals NULL.
--- use shop
--- sql
SELECT customer FROM orders INTERSECT SELECT customer FROM customers;
--- rows
customer
10
11
12
NULL
