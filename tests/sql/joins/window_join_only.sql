-- Windows alone, without another equality.
--- use payments
--- sql
SELECT a.id, b.id AS payment FROM (SELECT * FROM placed_windows WHERE id > 5) AS a RIGHT JOIN payment_windows AS b
ON a.window_start = b.window_start AND a.window_end = b.window_end;
--- rows
id | payment
6 | 16
6 | 17
6 | 18
7 | 16
7 | 17
7 | 18
8 | 19
8 | 20
8 | 21
9 | 16
9 | 17
9 | 18
NULL | 11
NULL | 12
NULL | 13
NULL | 14
NULL | 15
