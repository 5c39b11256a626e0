-- Sums over the first rows of each group.
--- use sales
--- sql
SELECT shop, COUNT(*) AS n, SUM(amount) AS s FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY shop ORDER BY amount DESC NULLS LAST, id) AS rn FROM sales
) WHERE rn <= 2 GROUP BY shop;
--- rows
shop | n | s
a | 2 | 18
b | 2 | 14
c | 1 | 4
NULL | 2 | 9
