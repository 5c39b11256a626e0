-- Parts of about the same size.
--- use sales
--- sql
SELECT id, NTILE(5) OVER (ORDER BY ts) AS five, NTILE(20) OVER (PARTITION BY shop ORDER BY ts) AS twenty FROM sales;
--- rows
id | five | twenty
4 | 1 | 1
2 | 1 | 1
8 | 1 | 2
5 | 2 | 1
1 | 2 | 2
12 | 2 | 3
10 | 3 | 1
7 | 3 | 3
3 | 4 | 4
9 | 4 | 2
11 | 5 | 5
6 | 5 | 4
