-- Only one partition is asked for.
--- use sales
--- sql
SELECT id, rn FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY shop ORDER BY id) AS rn FROM sales
) WHERE rn <= 2 AND shop = 'a';
--- rows
id | rn
1 | 1
3 | 2
