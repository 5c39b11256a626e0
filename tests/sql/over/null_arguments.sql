-- NULL is no value to aggregates, and one to LAG and FIRST_VALUE.
--- use sales
--- sql
SELECT id, COUNT(amount) OVER w AS n, MAX(amount) OVER w AS m, LAG(amount) OVER w AS before, FIRST_VALUE(amount) OVER w AS f FROM sales WHERE shop = 'b' WINDOW w AS (ORDER BY id DESC);
--- rows
id | n | m | before | f
12 | 1 | 2 | NULL | 2
8 | 2 | 7 | 2 | 2
6 | 2 | 7 | 7 | 2
2 | 3 | 7 | NULL | 2
