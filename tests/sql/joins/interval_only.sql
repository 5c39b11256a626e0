-- Times alone, without an equality: who paid within two seconds of whose order.
--- use payments
--- sql
SELECT o.id, p.id AS payment FROM placed AS o LEFT JOIN payments AS p
ON p.ts BETWEEN o.ts - INTERVAL '2' SECOND AND o.ts + INTERVAL '2' SECOND;
--- rows
id | payment
1 | 11
2 | 11
2 | 12
3 | 11
3 | 12
4 | 12
4 | 14
4 | 15
5 | 11
5 | 12
5 | 14
6 | 16
6 | 17
7 | 16
7 | 17
8 | 20
9 | 20
10 | 21
