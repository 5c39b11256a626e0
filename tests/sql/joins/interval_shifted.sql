-- An interval that begins only some time after the row.
--- use payments
--- sql
SELECT o.id, p.id AS payment FROM placed AS o LEFT JOIN payments AS p
ON o.customer = p.customer AND p.ts BETWEEN o.ts + INTERVAL '5' SECOND AND o.ts + INTERVAL '11' SECOND;
--- rows
id | payment
1 | 13
2 | 16
3 | 13
3 | 17
4 | NULL
5 | 18
6 | 19
7 | NULL
8 | NULL
9 | 19
10 | NULL
