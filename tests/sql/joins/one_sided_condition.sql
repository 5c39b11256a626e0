-- A condition in ON about the rows that are kept anyway.
--- use shop
--- sql
SELECT o.id, c.name FROM orders AS o LEFT JOIN customers AS c ON o.customer = c.customer AND o.id < 3;
--- rows
id | name
1 | Ada
2 | Ben
3 | NULL
4 | NULL
5 | NULL
6 | NULL
6 | NULL
