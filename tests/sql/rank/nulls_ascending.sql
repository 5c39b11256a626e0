-- By itself NULL comes last in an ascending order.
--- use sales
--- sql
SELECT id, amount FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY shop ORDER BY amount, id) AS rn FROM sales
) WHERE rn <= 4 AND shop = 'b';
--- rows
id | amount
2 | 7
6 | NULL
8 | 7
12 | 2
