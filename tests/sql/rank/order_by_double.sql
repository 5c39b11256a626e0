-- DOUBLE.
--- use sales
--- sql
SELECT id, amount FROM (
  SELECT *, ROW_NUMBER() OVER (ORDER BY CAST(amount AS DOUBLE) / 4 DESC NULLS LAST, id) AS rn FROM sales
) WHERE rn <= 3;
--- rows
id | amount
3 | 9
7 | 8
11 | 9
