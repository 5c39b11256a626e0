-- DECIMAL, also below zero.
--- use sales
--- sql
SELECT id, price FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY `open` ORDER BY price) AS rn FROM sales
) WHERE rn <= 2;
--- rows
id | price
2 | 2.25
3 | 0.75
6 | 0.05
8 | -1.00
9 | 2.25
12 | 2.20
