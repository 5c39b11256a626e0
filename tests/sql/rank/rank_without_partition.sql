-- RANK of everything.
--- use sales
--- sql
SELECT id, price, rn FROM (
  SELECT *, RANK() OVER (ORDER BY price DESC NULLS LAST) AS rn FROM sales
) WHERE rn <= 6;
--- rows
id | price | rn
2 | 2.25 | 5
4 | 10.00 | 1
5 | 3.10 | 4
9 | 2.25 | 5
10 | 4.40 | 3
11 | 9.99 | 2
