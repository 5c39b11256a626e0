-- The greatest counts with their places, while they grow.
--- use sales
--- sql
SELECT rn, shop, n FROM (
  SELECT shop, n, ROW_NUMBER() OVER (ORDER BY n DESC, shop) AS rn
  FROM (SELECT shop, COUNT(*) AS n FROM sales GROUP BY shop)
) WHERE rn <= 3;
--- rows
rn | shop | n
1 | a | 5
2 | b | 4
3 | NULL | 2
