-- Rows of several columns, NULL among them.
--- use shop
--- use sales
--- sql
SELECT customer, amount FROM orders EXCEPT ALL SELECT customer, least FROM customers;
--- rows
customer | amount
10 | 5
11 | 7
10 | 3
NULL | 9
13 | NULL
12 | 7
