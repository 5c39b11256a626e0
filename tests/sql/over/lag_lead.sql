-- The rows before and behind.
--- use sales
--- sql
SELECT id, LAG(amount) OVER (PARTITION BY shop ORDER BY ts) AS before, LEAD(amount) OVER (PARTITION BY shop ORDER BY ts) AS next FROM sales;
--- rows
id | before | next
5 | NULL | 6
9 | 3 | NULL
4 | NULL | 5
1 | 5 | 8
7 | 5 | 9
3 | 8 | 9
11 | 9 | NULL
2 | NULL | 7
8 | 7 | 2
12 | 7 | NULL
6 | 2 | NULL
10 | NULL | NULL
