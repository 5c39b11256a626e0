-- What was paid three seconds after an order, by whomever: nothing but times is compared.
--- use payments
--- sql
SELECT o.id, p.id AS payment FROM placed AS o LEFT JOIN payments AS p ON o.ts + INTERVAL '3' SECOND = p.ts;
--- rows
id | payment
1 | 12
2 | 14
3 | NULL
4 | 13
5 | 15
6 | 18
7 | NULL
8 | NULL
9 | NULL
10 | NULL
