-- The second and third of each group, with their numbers.
--- use sales
--- sql
SELECT shop, id, rn FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY shop ORDER BY id) AS rn FROM sales
) WHERE rn BETWEEN 2 AND 3;
--- rows
shop | id | rn
a | 3 | 2
a | 4 | 3
b | 6 | 2
b | 8 | 3
NULL | 9 | 2
