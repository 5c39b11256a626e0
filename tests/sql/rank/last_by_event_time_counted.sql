-- A count over the last rows of each group.
--- use sales
--- sql
SELECT item, COUNT(*) AS n FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY shop ORDER BY ts DESC) AS rn FROM sales
) WHERE rn <= 1 GROUP BY item;
--- rows
item | n
cup | 2
ink | 1
pen | 1
