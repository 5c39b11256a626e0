-- DENSE_RANK of changing rows, without the numbers.
--- use sales
--- sql
SELECT shop, n FROM (
  SELECT shop, n, DENSE_RANK() OVER (ORDER BY n DESC) AS rn
  FROM (SELECT shop, COUNT(*) AS n FROM sales GROUP BY shop)
) WHERE rn <= 2;
--- rows
shop | n
a | 5
b | 4
