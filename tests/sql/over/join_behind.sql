-- A join with what OVER gave.
--- use sales
--- sql
SELECT a.id, a.s, b.id AS other FROM (SELECT id, SUM(amount) OVER (PARTITION BY shop ORDER BY ts) AS s FROM sales) a JOIN sales b ON a.s = b.amount;
--- rows
id | s | other
4 | 5 | 1
2 | 7 | 2
9 | 9 | 3
4 | 5 | 4
5 | 3 | 5
2 | 7 | 8
10 | 4 | 10
9 | 9 | 11
