-- LIMIT and OFFSET without an order.
--- use sales
--- sql
SELECT COUNT(*) AS n FROM (SELECT id FROM sales LIMIT 5 OFFSET 9);
--- rows
n
3
