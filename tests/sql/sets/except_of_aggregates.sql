-- What a count says is taken away and comes back as it changes.
--- use shop
--- sql
SELECT customer, COUNT(*) AS n FROM orders GROUP BY customer
EXCEPT
SELECT customer, COUNT(*) AS n FROM customers GROUP BY customer;
--- rows
customer | n
10 | 2
13 | 1
