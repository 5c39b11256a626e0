-- The first of the first.
--- use sales
--- sql
SELECT id FROM (SELECT id, amount FROM sales ORDER BY amount DESC NULLS LAST, id LIMIT 5) ORDER BY id LIMIT 2;
--- rows
id
2
3
