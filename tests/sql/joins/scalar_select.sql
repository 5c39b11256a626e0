-- A scalar subquery in SELECT.
--- use shop
--- sql
SELECT id, amount - (SELECT MIN(amount) FROM orders) AS more FROM orders WHERE id < 4;
--- rows
id | more
1 | 2
2 | 4
3 | 0
