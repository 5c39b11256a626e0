-- Some numbers of a range.
--- use sales
--- sql
SELECT shop, id, rn FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY shop ORDER BY id) AS rn FROM sales
) WHERE rn IN (1, 3);
--- rows
shop | id | rn
a | 1 | 1
a | 4 | 3
b | 2 | 1
b | 8 | 3
c | 10 | 1
NULL | 5 | 1
