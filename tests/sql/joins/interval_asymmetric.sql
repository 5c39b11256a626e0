-- An interval that reaches further to one side than to the other.
--- use payments
--- sql
SELECT o.id, p.id AS payment FROM placed AS o LEFT JOIN payments AS p
ON o.customer = p.customer AND p.ts >= o.ts - INTERVAL '2' SECOND AND p.ts <= o.ts + INTERVAL '10.750' SECOND;
--- rows
id | payment
1 | 11
1 | 13
2 | 12
2 | 16
3 | 11
3 | 13
4 | NULL
5 | NULL
6 | 17
7 | 16
8 | 20
9 | 19
10 | 21
