-- The first row of each group in event time.
--- use sales
--- sql
SELECT shop, id FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY shop ORDER BY ts) AS rn FROM sales
) WHERE rn = 1;
--- rows
shop | id
a | 4
b | 2
c | 10
NULL | 5
