-- DENSE_RANK has no gaps.
--- use sales
--- sql
SELECT shop, id FROM (
  SELECT *, DENSE_RANK() OVER (PARTITION BY shop ORDER BY amount) AS rn FROM sales
) WHERE rn <= 2;
--- rows
shop | id
a | 1
a | 4
a | 7
b | 2
b | 8
b | 12
c | 10
NULL | 5
NULL | 9
