-- The last row of each shop, by comparing with the number of rows.
--- use sales
--- sql
SELECT id FROM (SELECT id, ROW_NUMBER() OVER (PARTITION BY shop ORDER BY ts) AS n, COUNT(*) OVER (PARTITION BY shop) AS c FROM sales) WHERE n = c;
--- rows
id
9
11
6
10
