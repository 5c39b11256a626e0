-- Only the second of each group.
--- use sales
--- sql
SELECT shop, id FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY shop ORDER BY ts) AS rn FROM sales
) WHERE rn = 2;
--- rows
shop | id
a | 1
b | 8
NULL | 9
