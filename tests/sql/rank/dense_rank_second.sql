-- The second value, however many have it.
--- use sales
--- sql
SELECT id, amount FROM (
  SELECT *, DENSE_RANK() OVER (ORDER BY amount DESC NULLS LAST) AS rn FROM sales
) WHERE rn = 2;
--- rows
id | amount
7 | 8
