-- The first of everything.
--- use sales
--- sql
SELECT id, price, rn FROM (
  SELECT *, ROW_NUMBER() OVER (ORDER BY price NULLS LAST, id) AS rn FROM sales
) WHERE rn <= 4;
--- rows
id | price | rn
1 | 1.50 | 4
3 | 0.75 | 3
6 | 0.05 | 2
8 | -1.00 | 1
