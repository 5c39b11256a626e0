-- NULLS LAST.
--- use sales
--- sql
SELECT id, price FROM (
  SELECT *, ROW_NUMBER() OVER (ORDER BY price DESC NULLS LAST, id) AS rn FROM sales
) WHERE rn <= 2;
--- rows
id | price
4 | 10.00
11 | 9.99
