-- IN with a subquery beside OR is not supported yet on streams; batch does it.
--- use shop
--- sql
SELECT id FROM orders WHERE amount = 9
OR customer IN (SELECT customer FROM customers WHERE region = 'south');
--- error streaming
LV-1011
IN with a subquery
line 2, column 4
--- rows
id
2
4
