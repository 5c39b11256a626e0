-- MINUS ALL is EXCEPT ALL.
--- use shop
--- sql
SELECT id FROM orders MINUS ALL SELECT id - 1 FROM orders WHERE id < 5;
--- rows
id
4
5
6
6
