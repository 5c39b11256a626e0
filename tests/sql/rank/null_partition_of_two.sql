-- NULL in one of two columns.
--- use sales
--- sql
SELECT shop, item, id, rn FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY shop, item ORDER BY id) AS rn FROM sales
) WHERE rn <= 1 AND (shop IS NULL OR item IS NULL);
--- rows
shop | item | id | rn
a | NULL | 7 | 1
NULL | ink | 9 | 1
NULL | pen | 5 | 1
