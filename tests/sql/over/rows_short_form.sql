-- A frame of which only the start is said ends at the row.
--- use sales
--- sql
SELECT id, MAX(amount) OVER (PARTITION BY shop ORDER BY ts ROWS 1 PRECEDING) AS m FROM sales;
--- rows
id | m
5 | 3
9 | 6
4 | 5
1 | 5
7 | 8
3 | 9
11 | 9
2 | 7
8 | 7
12 | 7
6 | 2
10 | 4
