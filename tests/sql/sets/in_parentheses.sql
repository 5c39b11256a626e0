-- Parentheses say otherwise.
--- use shop
--- sql
(SELECT customer FROM orders UNION ALL SELECT customer FROM customers)
EXCEPT
(SELECT customer FROM orders INTERSECT SELECT customer FROM customers);
--- rows
customer
13
14
