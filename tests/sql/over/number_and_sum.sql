-- A limit on the number where there is a sum as well.
--- use sales
--- sql
SELECT id, rn, s FROM (SELECT id, ROW_NUMBER() OVER w AS rn, SUM(amount) OVER w AS s FROM sales WINDOW w AS (PARTITION BY shop ORDER BY amount DESC, id)) WHERE rn <= 2;
--- rows
id | rn | s
9 | 1 | 6
5 | 2 | 9
3 | 1 | 9
11 | 2 | 18
6 | 1 | NULL
2 | 2 | 7
10 | 1 | 4
