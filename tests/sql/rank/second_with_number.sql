-- Only the second of each group, with its number.
--- use sales
--- sql
SELECT shop, id, rn FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY shop ORDER BY ts) AS rn FROM sales
) WHERE rn = 2;
--- rows
shop | id | rn
a | 1 | 2
b | 8 | 2
NULL | 9 | 2
