-- Partitions by what is computed.
--- use sales
--- sql
SELECT id, rn FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY id % 3 ORDER BY id) AS rn FROM sales
) WHERE rn <= 2;
--- rows
id | rn
1 | 1
2 | 1
3 | 1
4 | 2
5 | 2
6 | 2
