-- IN over rows that only come, into files.
--- use shop
--- sql
CREATE TABLE out_ (id INT, amount INT) WITH ('connector' = 'filesystem', 'path' = '{dir}/out', 'format' = 'json');
INSERT INTO out_ SELECT id, amount FROM orders WHERE customer IN (SELECT customer FROM customers WHERE region = 'north');
--- rows out_
id | amount
1 | 5
3 | 3
6 | 7
6 | 7
