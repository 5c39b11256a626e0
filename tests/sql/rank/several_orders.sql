-- An order by several columns in several directions.
--- use sales
--- sql
SELECT shop, id, rn FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY shop ORDER BY item DESC NULLS LAST, amount, id DESC) AS rn FROM sales
) WHERE rn <= 3;
--- rows
shop | id | rn
a | 1 | 1
a | 3 | 3
a | 11 | 2
b | 2 | 3
b | 8 | 1
b | 12 | 2
c | 10 | 1
NULL | 5 | 1
NULL | 9 | 2
