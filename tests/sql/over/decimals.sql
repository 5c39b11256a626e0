-- Sums and averages of decimals.
--- use sales
--- sql
SELECT id, SUM(price) OVER w AS s, AVG(price) OVER w AS a, MIN(price) OVER w AS m FROM sales WHERE shop = 'b' WINDOW w AS (ORDER BY ts ROWS BETWEEN 1 PRECEDING AND CURRENT ROW);
--- rows
id | s | a | m
2 | 2.25 | 2.250000 | 2.25
8 | 1.25 | 0.625000 | -1.00
12 | 1.20 | 0.600000 | -1.00
6 | 2.25 | 1.125000 | 0.05
