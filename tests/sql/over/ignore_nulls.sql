-- Rows without a value are passed over.
--- use sales
--- sql
SELECT id, LAG(amount) IGNORE NULLS OVER (ORDER BY id) AS before, FIRST_VALUE(item) IGNORE NULLS OVER (ORDER BY id ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS next
FROM sales WHERE id BETWEEN 5 AND 9;
--- rows
id | before | next
5 | NULL | pen
6 | 3 | cup
7 | 3 | pen
8 | 8 | pen
9 | 7 | ink
