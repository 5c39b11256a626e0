-- NOT IN with the first rows of a subquery.
--- use sales
--- sql
SELECT id FROM sales WHERE id NOT IN (SELECT id FROM sales ORDER BY ts LIMIT 9);
--- rows
id
6
9
11
