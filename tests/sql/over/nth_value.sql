-- The second of the frame, if there are two.
--- use sales
--- sql
SELECT id, NTH_VALUE(item, 2) OVER (PARTITION BY shop ORDER BY ts) AS second FROM sales;
--- rows
id | second
5 | NULL
9 | ink
4 | NULL
1 | pen
7 | pen
3 | pen
11 | pen
2 | NULL
8 | pen
12 | pen
6 | pen
10 | NULL
