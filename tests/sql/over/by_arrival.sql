-- Numbers in the order of arrival; which row has which is left open.
--- use sales
--- sql
SELECT shop, ROW_NUMBER() OVER (PARTITION BY shop ORDER BY PROCTIME()) AS rn, COUNT(*) OVER (PARTITION BY shop ORDER BY PROCTIME() ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS n FROM sales;
--- rows
shop | rn | n
NULL | 1 | 1
NULL | 2 | 2
a | 1 | 1
a | 2 | 2
a | 3 | 2
a | 4 | 2
a | 5 | 2
b | 1 | 1
b | 2 | 2
b | 3 | 2
b | 4 | 2
c | 1 | 1
