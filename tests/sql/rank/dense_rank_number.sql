-- DENSE_RANK with its numbers.
--- use sales
--- sql
SELECT shop, id, rn FROM (
  SELECT *, DENSE_RANK() OVER (PARTITION BY shop ORDER BY amount DESC) AS rn FROM sales
) WHERE rn <= 3;
--- rows
shop | id | rn
a | 1 | 3
a | 3 | 1
a | 4 | 3
a | 7 | 2
a | 11 | 1
b | 2 | 2
b | 6 | 1
b | 8 | 2
b | 12 | 3
c | 10 | 1
NULL | 5 | 2
NULL | 9 | 1
