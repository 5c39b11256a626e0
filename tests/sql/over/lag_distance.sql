-- Two rows before, with a value where there is none.
--- use sales
--- sql
SELECT id, LAG(amount, 2, -1) OVER (PARTITION BY shop ORDER BY ts) AS before2, LAG(item, 0) OVER (PARTITION BY shop ORDER BY ts) AS own FROM sales;
--- rows
id | before2 | own
5 | -1 | pen
9 | -1 | ink
4 | -1 | cup
1 | -1 | pen
7 | 5 | NULL
3 | 5 | ink
11 | 8 | pen
2 | -1 | ink
8 | -1 | pen
12 | 7 | ink
6 | 7 | cup
10 | -1 | cup
