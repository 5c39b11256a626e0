-- A key of two columns, times of other precision, a version without a price, and one without a time.
--- use rates
--- sql
SELECT a.id, q.dealer, q.price, q.since FROM asked AS a
LEFT JOIN quotes FOR SYSTEM_TIME AS OF a.ts AS q ON q.currency = a.what AND a.who = q.dealer;
--- rows
id | dealer | price | since
1 | NULL | NULL | NULL
2 | x | 1 | 2026-01-01 00:00:01.0005
3 | x | NULL | 2026-01-01 00:00:04.000001
4 | y | 4 | 2026-01-01 00:00:04
5 | x | 3 | 2026-01-01 00:00:03
6 | NULL | NULL | NULL
7 | NULL | NULL | NULL
