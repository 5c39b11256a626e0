-- NATURAL JOIN.
--- use shop
--- sql
SELECT id, name FROM orders NATURAL JOIN customers;
--- rows
id | name
1 | Ada
2 | Ben
3 | Ada
6 | Cy
6 | Cy
6 | Cyn
6 | Cyn
