-- A number that nobody reads numbers nothing.
--- use sales
--- sql
SELECT id FROM (SELECT id, ROW_NUMBER() OVER (ORDER BY ts) AS rn FROM sales) WHERE id < 4;
--- rows
id
1
2
3
