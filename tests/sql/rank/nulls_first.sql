-- NULLS FIRST.
--- use sales
--- sql
SELECT id, amount FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY shop ORDER BY amount NULLS FIRST, id) AS rn FROM sales
) WHERE rn <= 2 AND shop = 'b';
--- rows
id | amount
6 | NULL
12 | 2
