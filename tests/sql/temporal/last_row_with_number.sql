-- The number of the last row is 1, whatever row it is; the limit may be said in another way.
--- use rates
--- sql
WITH numbered AS (
  SELECT since, rate * 2 AS twice, currency AS c, ROW_NUMBER() OVER (PARTITION BY currency ORDER BY since DESC) AS rn
  FROM rate_log WHERE rate <> 108
), newest AS (SELECT c, twice, rn FROM numbered WHERE rn <= 1)
SELECT t.id, r.twice, r.rn FROM trades AS t
JOIN newest FOR SYSTEM_TIME AS OF t.ts AS r ON r.c = t.currency AND t.amount < 60;
--- rows
id | twice | rn
2 | 220 | 1
3 | 200 | 1
4 | 224 | 1
8 | 198 | 1
9 | 224 | 1
10 | 4 | 1
