-- A window join in a view that two inserts read.
--- use payments
--- sql
CREATE VIEW billed AS SELECT a.id, a.window_start, b.id AS payment FROM placed_windows AS a LEFT JOIN payment_windows AS b
ON a.customer = b.customer AND a.window_start = b.window_start AND a.window_end = b.window_end;
CREATE TABLE out_ (id INT, payment INT) WITH ('connector' = 'filesystem', 'path' = '{dir}/out_', 'format' = 'json');
CREATE TABLE unpaid (id INT, w TIMESTAMP(3)) WITH ('connector' = 'filesystem', 'path' = '{dir}/unpaid', 'format' = 'json');
EXECUTE STATEMENT SET BEGIN
  INSERT INTO out_ SELECT id, payment FROM billed WHERE payment IS NOT NULL;
  INSERT INTO unpaid SELECT id, window_start FROM billed WHERE payment IS NULL;
END;
--- rows out_
id | payment
1 | 11
1 | 13
2 | 12
3 | 11
3 | 13
6 | 17
7 | 16
8 | 20
9 | 17
--- rows unpaid
id | w
4 | 2026-01-01 00:00:00
5 | 2026-01-01 00:00:00
10 | 2026-01-01 00:00:30
