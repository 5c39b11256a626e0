-- Partitions by two columns.
--- use sales
--- sql
SELECT shop, item, id FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY shop, item ORDER BY ts) AS rn FROM sales
) WHERE rn = 1;
--- rows
shop | item | id
a | cup | 4
a | ink | 3
a | pen | 1
a | NULL | 7
b | cup | 6
b | ink | 2
b | pen | 8
c | cup | 10
NULL | ink | 9
NULL | pen | 5
