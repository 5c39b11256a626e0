-- The numbers from three on.
--- use sales
--- sql
SELECT id, rn FROM (SELECT id, ROW_NUMBER() OVER (PARTITION BY shop ORDER BY amount DESC, id) AS rn FROM sales) WHERE rn >= 3;
--- rows
id | rn
7 | 3
1 | 4
4 | 5
8 | 3
12 | 4
