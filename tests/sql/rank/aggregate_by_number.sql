-- Groups by the number.
--- use sales
--- sql
SELECT rn, COUNT(*) AS n, MAX(amount) AS most FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY shop ORDER BY amount DESC NULLS LAST, id) AS rn FROM sales
) WHERE rn <= 3 GROUP BY rn;
--- rows
rn | n | most
1 | 4 | 9
2 | 3 | 9
3 | 2 | 8
