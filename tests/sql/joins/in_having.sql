-- IN in HAVING.
--- use shop
--- sql
SELECT customer, COUNT(*) AS n FROM orders GROUP BY customer HAVING COUNT(*) IN (SELECT least FROM customers);
--- rows
customer | n
10 | 2
12 | 2
11 | 1
13 | 1
NULL | 1
