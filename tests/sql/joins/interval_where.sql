-- An interval join with its bounds in WHERE, and the intervals on the other side.
--- use payments
--- sql
SELECT o.id, p.id AS payment FROM placed AS o, payments AS p
WHERE o.customer = p.customer AND p.ts - INTERVAL '8' SECOND <= o.ts AND o.ts <= p.ts;
--- rows
id | payment
1 | 11
1 | 13
2 | 12
2 | 16
3 | 11
3 | 13
6 | 17
8 | 20
9 | 19
