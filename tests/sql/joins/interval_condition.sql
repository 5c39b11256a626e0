-- Conditions beside the interval, of both sides and of one.
--- use payments
--- sql
SELECT o.id, p.id AS payment FROM placed AS o FULL JOIN payments AS p
ON o.customer = p.customer AND p.ts BETWEEN o.ts AND o.ts + INTERVAL '12' SECOND AND o.amount <= p.paid AND o.id <> 6;
--- rows
id | payment
1 | 11
1 | 17
2 | 12
3 | 11
3 | 13
3 | 17
4 | NULL
5 | 18
6 | NULL
7 | NULL
8 | 20
9 | NULL
10 | NULL
NULL | 14
NULL | 15
NULL | 16
NULL | 19
NULL | 21
