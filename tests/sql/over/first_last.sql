-- First and last of the frame.
--- use sales
--- sql
SELECT id, FIRST_VALUE(item) OVER (PARTITION BY shop ORDER BY ts) AS first, LAST_VALUE(item) OVER (PARTITION BY shop ORDER BY ts) AS own, LAST_VALUE(item) OVER (PARTITION BY shop ORDER BY ts ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS last FROM sales;
--- rows
id | first | own | last
5 | pen | pen | ink
9 | pen | ink | ink
4 | cup | cup | pen
1 | cup | pen | pen
7 | cup | NULL | pen
3 | cup | ink | pen
11 | cup | pen | pen
2 | ink | ink | cup
8 | ink | pen | cup
12 | ink | ink | cup
6 | ink | cup | cup
10 | cup | cup | cup
