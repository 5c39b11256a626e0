-- An order by what is computed.
--- use sales
--- sql
SELECT shop, id FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY shop ORDER BY amount * price DESC NULLS LAST, id) AS rn FROM sales
) WHERE rn <= 2;
--- rows
shop | id
a | 4
a | 11
b | 2
b | 12
c | 10
NULL | 5
NULL | 9
