-- LIMIT of more than there is.
--- use sales
--- sql
SELECT id FROM sales WHERE shop = 'b' LIMIT 100;
--- rows
id
2
6
8
12
