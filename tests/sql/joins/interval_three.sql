-- An interval join of an interval join.
--- use payments
--- sql
SELECT o.id, p.id AS payment, n.id AS follower FROM placed AS o
JOIN payments AS p ON o.customer = p.customer AND p.ts BETWEEN o.ts AND o.ts + INTERVAL '8' SECOND
JOIN placed AS n ON n.customer = o.customer AND n.ts BETWEEN p.ts AND p.ts + INTERVAL '10' SECOND;
--- rows
id | payment | follower
1 | 11 | 6
1 | 13 | 6
1 | 13 | 9
2 | 12 | 2
2 | 12 | 7
2 | 16 | 7
3 | 11 | 6
3 | 13 | 6
3 | 13 | 9
6 | 17 | 6
6 | 17 | 9
8 | 20 | 8
