-- A date in descending order.
--- use sales
--- sql
SELECT id, COUNT(*) OVER (PARTITION BY shop ORDER BY `day` DESC) AS n FROM sales WHERE `day` IS NOT NULL;
--- rows
id | n
9 | 1
7 | 1
11 | 2
1 | 3
3 | 4
4 | 5
6 | 1
8 | 2
2 | 3
10 | 1
