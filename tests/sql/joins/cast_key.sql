-- INT against BIGINT.
--- use shop
--- sql
SELECT o.id, c.name FROM orders AS o JOIN customers AS c ON o.amount = c.customer - 5;
--- rows
id | name
1 | Ada
2 | Cy
2 | Cyn
4 | Eve
6 | Cy
6 | Cy
6 | Cyn
6 | Cyn
