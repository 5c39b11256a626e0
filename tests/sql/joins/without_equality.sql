-- No equality at all.
--- use shop
--- sql
SELECT o.id, c.name FROM orders AS o JOIN customers AS c ON o.amount < c.least;
--- rows
id | name
1 | Ben
1 | Cyn
2 | Ben
3 | Ada
3 | Ben
3 | Cyn
6 | Ben
6 | Ben
