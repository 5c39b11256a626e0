-- QUALIFY on a value.
--- use sales
--- sql
SELECT id, amount FROM sales QUALIFY SUM(amount) OVER (PARTITION BY shop ORDER BY ts) > 10;
--- rows
id | amount
7 | 8
3 | 9
11 | 9
8 | 7
12 | 2
6 | NULL
