-- Numbers that OR connects, one of them under a condition.
--- use sales
--- sql
SELECT shop, id FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY shop ORDER BY id) AS rn FROM sales
) WHERE rn = 3 OR (rn = 1 AND amount > 4);
--- rows
shop | id
a | 1
a | 4
b | 2
b | 8
