-- The first three in an order.
--- use sales
--- sql
SELECT id, amount FROM sales ORDER BY amount DESC NULLS LAST, id LIMIT 3;
--- rows
id | amount
3 | 9
7 | 8
11 | 9
