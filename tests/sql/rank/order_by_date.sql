-- DATE, the latest first.
--- use sales
--- sql
SELECT id, `day` FROM (
  SELECT *, ROW_NUMBER() OVER (ORDER BY `day` DESC NULLS LAST, id) AS rn FROM sales
) WHERE rn <= 3;
--- rows
id | day
6 | 2026-01-04
7 | 2026-01-05
9 | 2026-01-06
