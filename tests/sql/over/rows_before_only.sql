-- Only rows before; the first one has none.
--- use sales
--- sql
SELECT id, COUNT(*) OVER (ORDER BY ts ROWS BETWEEN 3 PRECEDING AND 2 PRECEDING) AS n, MAX(item) OVER (ORDER BY ts ROWS BETWEEN 3 PRECEDING AND 2 PRECEDING) AS m FROM sales;
--- rows
id | n | m
4 | 0 | NULL
2 | 0 | NULL
8 | 1 | cup
5 | 2 | ink
1 | 2 | pen
12 | 2 | pen
10 | 2 | pen
7 | 2 | pen
3 | 2 | ink
9 | 2 | cup
11 | 2 | ink
6 | 2 | ink
