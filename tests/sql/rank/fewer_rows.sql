-- Groups that have fewer rows than are wanted.
--- use sales
--- sql
SELECT shop, id, rn FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY shop ORDER BY id) AS rn FROM sales
) WHERE rn <= 1000000;
--- rows
shop | id | rn
a | 1 | 1
a | 3 | 2
a | 4 | 3
a | 7 | 4
a | 11 | 5
b | 2 | 1
b | 6 | 2
b | 8 | 3
b | 12 | 4
c | 10 | 1
NULL | 5 | 1
NULL | 9 | 2
