-- STRING.
--- use sales
--- sql
SELECT item, id FROM (
  SELECT *, ROW_NUMBER() OVER (ORDER BY item, id DESC) AS rn FROM sales
) WHERE rn <= 5;
--- rows
item | id
cup | 4
cup | 6
cup | 10
ink | 9
ink | 12
