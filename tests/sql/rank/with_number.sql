-- The number is a column like others.
--- use sales
--- sql
SELECT shop, id, rn FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY shop ORDER BY amount DESC NULLS LAST, id) AS rn FROM sales
) WHERE rn <= 3;
--- rows
shop | id | rn
a | 3 | 1
a | 7 | 3
a | 11 | 2
b | 2 | 1
b | 8 | 2
b | 12 | 3
c | 10 | 1
NULL | 5 | 2
NULL | 9 | 1
