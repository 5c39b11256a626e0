-- A condition on a value.
--- use sales
--- sql
SELECT id, s FROM (SELECT id, SUM(amount) OVER (PARTITION BY shop ORDER BY ts) AS s FROM sales) WHERE s > 10;
--- rows
id | s
7 | 18
3 | 27
11 | 36
8 | 14
12 | 16
6 | 16
