-- The first values.
--- use sales
--- sql
SELECT DISTINCT amount FROM sales ORDER BY amount DESC NULLS LAST LIMIT 3;
--- rows
amount
7
8
9
