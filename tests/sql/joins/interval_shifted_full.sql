-- An interval that ends some time before the row.
--- use payments
--- sql
SELECT o.id, p.id AS payment FROM placed AS o FULL JOIN payments AS p
ON o.customer = p.customer AND o.ts BETWEEN p.ts + INTERVAL '1' SECOND AND p.ts + INTERVAL '4' SECOND;
--- rows
id | payment
1 | NULL
2 | NULL
3 | NULL
4 | NULL
5 | NULL
6 | 13
7 | 16
8 | NULL
9 | NULL
10 | NULL
NULL | 11
NULL | 12
NULL | 14
NULL | 15
NULL | 17
NULL | 18
NULL | 19
NULL | 20
NULL | 21
