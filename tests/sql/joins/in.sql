-- IN with a subquery: each row once, however many there are on the other side.
--- use shop
--- sql
SELECT id FROM orders WHERE customer IN (SELECT customer FROM customers);
--- rows
id
1
2
3
6
6
