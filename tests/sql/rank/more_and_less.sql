-- The same by two conditions, without numbers.
--- use sales
--- sql
SELECT shop, id FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY shop ORDER BY id) AS rn FROM sales
) WHERE rn > 1 AND rn <= 3;
--- rows
shop | id
a | 3
a | 4
b | 6
b | 8
NULL | 9
