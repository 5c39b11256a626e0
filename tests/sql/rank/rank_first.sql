-- All that share the first place.
--- use sales
--- sql
SELECT id FROM (
  SELECT *, RANK() OVER (PARTITION BY shop ORDER BY amount DESC NULLS LAST) AS rn FROM sales
) WHERE rn = 1;
--- rows
id
2
3
8
9
10
11
