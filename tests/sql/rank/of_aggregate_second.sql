-- The second of each group of changing rows.
--- use sales
--- sql
SELECT shop, item, n FROM (
  SELECT shop, item, n, ROW_NUMBER() OVER (PARTITION BY shop ORDER BY n DESC, item) AS rn
  FROM (SELECT shop, item, COUNT(*) AS n FROM sales GROUP BY shop, item)
) WHERE rn = 2;
--- rows
shop | item | n
a | cup | 1
b | cup | 1
NULL | pen | 1
