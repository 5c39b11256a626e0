-- A number below a limit.
--- use sales
--- sql
SELECT id FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY shop ORDER BY id DESC) AS rn FROM sales
) WHERE rn < 3;
--- rows
id
5
7
8
9
10
11
12
