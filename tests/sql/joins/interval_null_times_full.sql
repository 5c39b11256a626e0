-- Rows without a time on both sides, in a FULL JOIN.
--- use payments
--- sql
SELECT c.id, a.id AS answer, a.ts FROM calls AS c FULL JOIN answers AS a
ON c.caller = a.caller AND a.ts BETWEEN c.ts AND c.ts + INTERVAL '4' SECOND;
--- rows
id | answer | ts
1 | 7 | 2026-01-01 00:00:02
2 | NULL | NULL
3 | NULL | NULL
4 | NULL | NULL
5 | NULL | NULL
6 | NULL | NULL
NULL | 8 | NULL
NULL | 9 | 2026-01-01 00:00:06
NULL | 10 | 2026-01-01 00:00:14
NULL | 11 | NULL
