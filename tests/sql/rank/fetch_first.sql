-- FETCH FIRST is LIMIT.
--- use sales
--- sql
SELECT id FROM sales ORDER BY id DESC FETCH FIRST 2 ROWS ONLY;
--- rows
id
11
12
