-- One partition of everything.
--- use sales
--- sql
SELECT id, SUM(amount) OVER (ORDER BY id) AS s FROM sales;
--- rows
id | s
1 | 5
2 | 12
3 | 21
4 | 26
5 | 29
6 | 29
7 | 37
8 | 44
9 | 50
10 | 54
11 | 63
12 | 65
