-- A scalar subquery: its value changes with every row.
--- use shop
--- sql
SELECT id FROM orders WHERE amount > (SELECT AVG(amount) FROM orders);
--- rows
id
2
4
6
6
