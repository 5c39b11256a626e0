-- The same for both sides.
--- use shop
--- sql
SELECT o.id, c.name FROM orders AS o FULL JOIN customers AS c ON o.customer = c.customer AND o.amount > c.least;
--- rows
id | name
1 | Ada
2 | NULL
3 | NULL
4 | NULL
5 | NULL
6 | Cy
6 | Cy
NULL | Ben
NULL | Cyn
NULL | Eve
NULL | Nil
