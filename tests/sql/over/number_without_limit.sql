-- All rows with their numbers.
--- use sales
--- sql
SELECT id, ROW_NUMBER() OVER (PARTITION BY shop ORDER BY amount DESC, id) AS rn FROM sales;
--- rows
id | rn
9 | 1
5 | 2
3 | 1
11 | 2
7 | 3
1 | 4
4 | 5
6 | 1
2 | 2
8 | 3
12 | 4
10 | 1
