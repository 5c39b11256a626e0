-- Rows whose partition is NULL are a partition.
--- use sales
--- sql
SELECT shop, id, rn FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY shop ORDER BY id) AS rn FROM sales
) WHERE rn <= 2 AND shop IS NULL;
--- rows
shop | id | rn
NULL | 5 | 1
NULL | 9 | 2
