-- The greatest counts, while they grow.
--- use sales
--- sql
SELECT shop, n FROM (
  SELECT shop, n, ROW_NUMBER() OVER (ORDER BY n DESC, shop) AS rn
  FROM (SELECT shop, COUNT(*) AS n FROM sales GROUP BY shop)
) WHERE rn <= 2;
--- rows
shop | n
a | 5
b | 4
