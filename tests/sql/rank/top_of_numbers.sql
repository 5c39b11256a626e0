-- An order by the numbers of another Top-N.
--- use sales
--- sql
SELECT id, rn FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY shop ORDER BY ts) AS rn FROM sales
) WHERE rn <= 2 ORDER BY rn DESC, id LIMIT 3;
--- rows
id | rn
1 | 2
8 | 2
9 | 2
