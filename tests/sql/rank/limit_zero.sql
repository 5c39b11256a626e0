-- LIMIT 0 is nothing.
--- use sales
--- sql
SELECT id FROM sales LIMIT 0;
--- rows
id
