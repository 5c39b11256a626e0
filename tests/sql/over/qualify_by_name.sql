-- QUALIFY by the names of columns, of two windows.
--- use sales
--- sql
SELECT id, ROW_NUMBER() OVER (PARTITION BY shop ORDER BY ts) AS rn, COUNT(*) OVER (PARTITION BY item) AS n FROM sales QUALIFY rn <= 3 AND n > 3;
--- rows
id | rn | n
5 | 1 | 4
9 | 2 | 4
1 | 2 | 4
2 | 1 | 4
8 | 2 | 4
12 | 3 | 4
