-- An OFFSET behind the last row.
--- use sales
--- sql
SELECT id FROM sales ORDER BY id LIMIT 3 OFFSET 50;
--- rows
id
