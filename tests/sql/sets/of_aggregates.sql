-- Counts that change on both sides.
--- use shop
--- sql
SELECT customer, COUNT(*) FROM orders GROUP BY customer
INTERSECT
SELECT customer, COUNT(*) FROM customers GROUP BY customer;
--- rows
customer | COUNT(*)
11 | 1
12 | 2
NULL | 1
