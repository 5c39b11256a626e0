-- Values among the first rows.
--- use sales
--- sql
SELECT DISTINCT item FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY shop ORDER BY ts DESC) AS rn FROM sales
) WHERE rn <= 2;
--- rows
item
cup
ink
pen
