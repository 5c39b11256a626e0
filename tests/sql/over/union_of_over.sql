-- Branches of a UNION.
--- use sales
--- sql
SELECT id, COUNT(*) OVER (PARTITION BY shop ORDER BY ts) AS n FROM sales WHERE id < 5 UNION ALL SELECT id, COUNT(*) OVER (ORDER BY id DESC) AS n FROM sales WHERE id >= 5;
--- rows
id | n
4 | 1
1 | 2
3 | 3
2 | 1
12 | 1
11 | 2
10 | 3
9 | 4
8 | 5
7 | 6
6 | 7
5 | 8
