-- Nothing to take away: each row once.
--- use shop
--- sql
SELECT id, amount FROM orders WHERE id > 3 EXCEPT SELECT id, amount FROM orders WHERE id > 9;
--- rows
id | amount
4 | 9
5 | NULL
6 | 7
