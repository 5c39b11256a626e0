-- A row without a time has no partner; LEFT JOIN gives it all the same.
--- use payments
--- sql
SELECT c.id, a.id AS answer FROM calls AS c LEFT JOIN answers AS a
ON c.caller = a.caller AND a.ts BETWEEN c.ts AND c.ts + INTERVAL '5' SECOND;
--- rows
id | answer
1 | 7
2 | NULL
3 | NULL
4 | NULL
5 | NULL
6 | 10
