-- The first rows of a union.
--- use sales
--- sql
SELECT id FROM sales WHERE shop = 'a' UNION ALL SELECT amount FROM sales WHERE shop = 'b' ORDER BY id LIMIT 4;
--- rows
id
1
2
3
4
