-- A key that is computed, of another type than the other side.
--- use shop
--- sql
SELECT o.id, c.name FROM orders AS o JOIN customers AS c ON o.amount + 1 = c.least;
--- rows
id | name
2 | Ben
3 | Ada
6 | Ben
6 | Ben
