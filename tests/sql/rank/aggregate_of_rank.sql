-- A sum over ranks that change.
--- use sales
--- sql
SELECT SUM(rn) AS s, COUNT(*) AS n FROM (
  SELECT *, RANK() OVER (PARTITION BY shop ORDER BY amount DESC NULLS LAST) AS rn FROM sales
) WHERE rn <= 3;
--- rows
s | n
14 | 9
