-- Two limits of one numbering.
--- use sales
--- sql
WITH numbered AS (SELECT id, shop, ROW_NUMBER() OVER (PARTITION BY shop ORDER BY id) AS rn FROM sales)
SELECT id, 'first' AS place FROM numbered WHERE rn = 1 UNION ALL SELECT id, 'later' FROM numbered WHERE rn BETWEEN 3 AND 4;
--- rows
id | place
1 | first
2 | first
4 | later
5 | first
7 | later
8 | later
10 | first
12 | later
