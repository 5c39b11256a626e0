-- Rows that only come, on one key of two columns, into files.
--- use shop
--- sql
CREATE TABLE out_ (id INT, second INT, amount INT) WITH ('connector' = 'filesystem', 'path' = '{dir}/out', 'format' = 'json');
INSERT INTO out_ SELECT o.id, p.id AS second, q.amount FROM orders AS o
JOIN orders AS p ON o.customer = p.customer AND o.amount = p.amount
JOIN orders AS q ON p.amount = q.amount AND o.customer = q.customer;
--- rows out_
id | second | amount
1 | 1 | 5
2 | 2 | 7
3 | 3 | 3
6 | 6 | 7
6 | 6 | 7
6 | 6 | 7
6 | 6 | 7
6 | 6 | 7
6 | 6 | 7
6 | 6 | 7
6 | 6 | 7
