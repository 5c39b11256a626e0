-- The third to fifth in an order.
--- use sales
--- sql
SELECT id, amount FROM sales ORDER BY amount DESC NULLS LAST, id LIMIT 3 OFFSET 2;
--- rows
id | amount
2 | 7
7 | 8
8 | 7
