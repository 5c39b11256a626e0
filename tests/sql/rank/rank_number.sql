-- RANK with its numbers, which have gaps.
--- use sales
--- sql
SELECT shop, id, rn FROM (
  SELECT *, RANK() OVER (PARTITION BY shop ORDER BY amount DESC) AS rn FROM sales
) WHERE rn <= 4;
--- rows
shop | id | rn
a | 1 | 4
a | 3 | 1
a | 4 | 4
a | 7 | 3
a | 11 | 1
b | 2 | 2
b | 6 | 1
b | 8 | 2
b | 12 | 4
c | 10 | 1
NULL | 5 | 2
NULL | 9 | 1
