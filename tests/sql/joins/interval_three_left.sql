-- Outer interval joins of the left table's time.
--- use payments
--- sql
SELECT o.id, p.id AS payment, n.id AS follower FROM placed AS o
LEFT JOIN payments AS p ON o.customer = p.customer AND p.ts BETWEEN o.ts AND o.ts + INTERVAL '8' SECOND
LEFT JOIN placed AS n ON n.customer = o.customer AND n.ts BETWEEN o.ts + INTERVAL '1' SECOND AND o.ts + INTERVAL '6' SECOND;
--- rows
id | payment | follower
1 | 11 | 3
1 | 13 | 3
2 | 12 | NULL
2 | 16 | NULL
3 | 11 | NULL
3 | 13 | NULL
4 | NULL | NULL
5 | NULL | NULL
6 | 17 | 9
7 | NULL | NULL
8 | 20 | NULL
9 | 19 | NULL
10 | NULL | NULL
