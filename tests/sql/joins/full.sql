-- FULL JOIN: rows of both sides without a partner.
--- use shop
--- sql
SELECT o.id, c.name FROM orders AS o FULL JOIN customers AS c ON o.customer = c.customer;
--- rows
id | name
1 | Ada
2 | Ben
3 | Ada
6 | Cy
6 | Cy
6 | Cyn
6 | Cyn
4 | NULL
5 | NULL
NULL | Eve
NULL | Nil
