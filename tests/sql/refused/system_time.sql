-- Joins with the version of a table at a time are not there yet.
--- use shop
--- sql
SELECT o.id, c.name FROM orders AS o
JOIN customers FOR SYSTEM_TIME AS OF PROCTIME() AS c ON o.customer = c.customer;
--- error
LV-1011
FOR SYSTEM_TIME AS OF
line 2, column 6
