-- Two inserts of one interval join: its pairs, and their windows.
--- use payments
--- sql
CREATE VIEW pairs AS SELECT o.id, o.ts, p.id AS payment FROM placed AS o JOIN payments AS p
ON o.customer = p.customer AND p.ts BETWEEN o.ts AND o.ts + INTERVAL '8' SECOND;
CREATE TABLE out_ (id INT, payment INT) WITH ('connector' = 'filesystem', 'path' = '{dir}/out_', 'format' = 'json');
CREATE TABLE per_window (w TIMESTAMP(3), n BIGINT) WITH ('connector' = 'filesystem', 'path' = '{dir}/per_window', 'format' = 'json');
EXECUTE STATEMENT SET BEGIN
  INSERT INTO out_ SELECT id, payment FROM pairs WHERE id < 9;
  INSERT INTO per_window SELECT window_start, COUNT(*) FROM TABLE(TUMBLE(TABLE pairs, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end;
END;
--- rows out_
id | payment
1 | 11
1 | 13
2 | 12
2 | 16
3 | 11
3 | 13
6 | 17
8 | 20
--- rows per_window
w | n
2026-01-01 00:00:00 | 6
2026-01-01 00:00:10 | 2
2026-01-01 00:00:20 | 1
