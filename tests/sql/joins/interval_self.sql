-- A table joined with itself in an interval: the orders that followed.
--- use payments
--- sql
SELECT a.id, b.id AS follower, b.ts AS later FROM placed AS a LEFT JOIN placed AS b
ON a.customer = b.customer AND b.ts > a.ts AND b.ts <= a.ts + INTERVAL '10' SECOND;
--- rows
id | follower | later
1 | 3 | 2026-01-01 00:00:02
2 | 7 | 2026-01-01 00:00:12
3 | NULL | NULL
4 | NULL | NULL
5 | NULL | NULL
6 | 9 | 2026-01-01 00:00:18.5
7 | NULL | NULL
8 | NULL | NULL
9 | NULL | NULL
10 | NULL | NULL
