-- Bounds that are not part of the interval.
--- use payments
--- sql
SELECT o.id, p.id AS payment FROM placed AS o LEFT JOIN payments AS p
ON o.customer = p.customer AND o.ts < p.ts AND p.ts < o.ts + INTERVAL '8' SECOND;
--- rows
id | payment
1 | 11
2 | 16
3 | 11
3 | 13
4 | NULL
5 | NULL
6 | NULL
7 | NULL
8 | NULL
9 | 19
10 | NULL
