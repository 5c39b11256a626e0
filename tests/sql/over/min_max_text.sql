-- Least and greatest texts.
--- use sales
--- sql
SELECT id, MIN(item) OVER (PARTITION BY shop ORDER BY ts) AS least, MAX(item) OVER (ORDER BY ts DESC) AS most FROM sales;
--- rows
id | least | most
5 | pen | pen
9 | ink | pen
4 | cup | pen
1 | cup | pen
7 | cup | pen
3 | cup | pen
11 | cup | pen
2 | ink | pen
8 | ink | pen
12 | ink | pen
6 | cup | cup
10 | cup | pen
