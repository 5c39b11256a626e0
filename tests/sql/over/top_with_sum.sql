-- A limit on a number beside another function.
--- use sales
--- sql
SELECT id, rn, s FROM (SELECT id, ROW_NUMBER() OVER (PARTITION BY shop ORDER BY ts) AS rn, SUM(amount) OVER (PARTITION BY shop ORDER BY ts) AS s FROM sales) WHERE rn <= 2;
--- rows
id | rn | s
5 | 1 | 3
9 | 2 | 9
4 | 1 | 5
1 | 2 | 10
2 | 1 | 7
8 | 2 | 14
10 | 1 | 4
