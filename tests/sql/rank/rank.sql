-- RANK: rows that are equal in order are together in or out.
--- use sales
--- sql
SELECT shop, id, amount FROM (
  SELECT *, RANK() OVER (PARTITION BY shop ORDER BY amount) AS rn FROM sales
) WHERE rn <= 2;
--- rows
shop | id | amount
a | 1 | 5
a | 4 | 5
b | 2 | 7
b | 8 | 7
b | 12 | 2
c | 10 | 4
NULL | 5 | 3
NULL | 9 | 6
