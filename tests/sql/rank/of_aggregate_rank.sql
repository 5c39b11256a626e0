-- RANK of changing rows, with the numbers.
--- use sales
--- sql
SELECT shop, item, rn FROM (
  SELECT shop, item, RANK() OVER (PARTITION BY shop ORDER BY n DESC) AS rn
  FROM (SELECT shop, item, COUNT(*) AS n FROM sales GROUP BY shop, item)
) WHERE rn <= 2;
--- rows
shop | item | rn
a | cup | 2
a | ink | 2
a | pen | 1
a | NULL | 2
b | cup | 2
b | ink | 1
b | pen | 2
c | cup | 1
NULL | ink | 1
NULL | pen | 1
