-- The first of groups that come and go.
--- use sales
--- sql
SELECT shop, n FROM (SELECT shop, COUNT(*) AS n FROM sales GROUP BY shop HAVING COUNT(*) < 5) ORDER BY n DESC, shop LIMIT 2;
--- rows
shop | n
b | 4
NULL | 2
