-- NULLs are equal in order.
--- use sales
--- sql
SELECT id, rn FROM (
  SELECT *, RANK() OVER (ORDER BY `day` NULLS FIRST) AS rn FROM sales
) WHERE rn <= 4;
--- rows
id | rn
2 | 3
4 | 3
5 | 1
12 | 1
