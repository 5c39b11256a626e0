-- A union of the first rows of two queries.
--- use sales
--- sql
(SELECT id FROM sales WHERE shop = 'a' ORDER BY id DESC LIMIT 2) UNION ALL (SELECT id FROM sales WHERE shop = 'b' ORDER BY id LIMIT 1);
--- rows
id
2
7
11
