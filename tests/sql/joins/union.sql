-- UNION ALL of a join and a table.
--- use shop
--- sql
SELECT c.name FROM orders AS o JOIN customers AS c ON o.customer = c.customer WHERE o.id < 3
UNION ALL SELECT head FROM regions;
--- rows
name
Ada
Ben
Nora
Sol
