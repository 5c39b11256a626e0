-- Whichever row of each group comes first.
--- use sales
--- sql
SELECT shop FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY shop ORDER BY PROCTIME()) AS rn FROM sales
) WHERE rn = 1;
--- rows
shop
a
b
c
NULL
