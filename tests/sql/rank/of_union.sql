-- Numbers over a union.
--- use sales
--- sql
SELECT v, rn FROM (
  SELECT v, ROW_NUMBER() OVER (ORDER BY v) AS rn FROM (SELECT id AS v FROM sales WHERE shop = 'a' UNION ALL SELECT amount FROM sales WHERE shop = 'b' AND amount IS NOT NULL)
) WHERE rn <= 4;
--- rows
v | rn
1 | 1
2 | 2
3 | 3
4 | 4
