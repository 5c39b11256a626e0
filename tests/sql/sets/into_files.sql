-- What is on both sides of tables that only grow is never taken back.
--- use shop
--- sql
CREATE TABLE found (customer BIGINT)
WITH ('connector' = 'filesystem', 'path' = '{dir}/found', 'format' = 'json');
INSERT INTO found SELECT customer FROM orders INTERSECT SELECT customer FROM customers;
--- rows found
customer
10
11
12
NULL
