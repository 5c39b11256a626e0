-- A CROSS JOIN of which no column is read.
--- use shop
--- sql
SELECT COUNT(*) AS n FROM orders CROSS JOIN regions;
--- rows
n
14
