-- Numbers of a common table expression.
--- use sales
--- sql
WITH numbered AS (SELECT id, shop, ROW_NUMBER() OVER (PARTITION BY shop ORDER BY ts DESC) AS rn FROM sales)
SELECT n.shop, n.id FROM numbered AS n WHERE n.rn <= 1;
--- rows
shop | id
a | 11
b | 6
c | 10
NULL | 9
