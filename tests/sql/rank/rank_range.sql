-- The ranks from 2 to 3.
--- use sales
--- sql
SELECT shop, id, rn FROM (
  SELECT *, RANK() OVER (PARTITION BY shop ORDER BY amount) AS rn FROM sales
) WHERE rn BETWEEN 2 AND 3;
--- rows
shop | id | rn
a | 7 | 3
b | 2 | 2
b | 8 | 2
NULL | 9 | 2
