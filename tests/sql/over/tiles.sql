-- More parts than rows, and parts that do not come out even.
--- use sales
--- sql
SELECT id, NTILE(3) OVER (PARTITION BY shop ORDER BY id) AS three, NTILE(20) OVER (ORDER BY id) AS twenty FROM sales;
--- rows
id | three | twenty
5 | 1 | 5
9 | 2 | 9
1 | 1 | 1
3 | 1 | 3
4 | 2 | 4
7 | 2 | 7
11 | 3 | 11
2 | 1 | 2
6 | 1 | 6
8 | 2 | 8
12 | 3 | 12
10 | 1 | 10
