-- What is computed from the number.
--- use sales
--- sql
SELECT id, rn * 10 + 1 AS place, CASE WHEN rn = 1 THEN 'best' ELSE 'good' END AS word FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY shop ORDER BY amount DESC NULLS LAST, id) AS rn FROM sales
) WHERE rn <= 2;
--- rows
id | place | word
2 | 11 | best
3 | 11 | best
5 | 21 | good
8 | 21 | good
9 | 11 | best
10 | 11 | best
11 | 21 | good
