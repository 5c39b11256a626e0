-- Orders that were placed, and payments, both in event time and out of order by up to 4 s, which is less than
-- their watermarks are behind; some have no customer or no amount. Calls and answers, of which some have no time.
--- file placed.json
{"id": 1, "customer": "a", "amount": 5, "ts": "2026-01-01 00:00:01"}
{"id": 2, "customer": "b", "amount": 7, "ts": "2026-01-01 00:00:04"}
{"id": 3, "customer": "a", "amount": 3, "ts": "2026-01-01 00:00:02"}
{"id": 4, "customer": null, "amount": 9, "ts": "2026-01-01 00:00:06"}
{"id": 5, "customer": "c", "amount": 8, "ts": "2026-01-01 00:00:05"}
{"id": 6, "customer": "a", "amount": 6, "ts": "2026-01-01 00:00:13"}
{"id": 7, "customer": "b", "amount": 2, "ts": "2026-01-01 00:00:12"}
{"id": 8, "customer": "d", "amount": 4, "ts": "2026-01-01 00:00:20"}
{"id": 9, "customer": "a", "amount": 1, "ts": "2026-01-01 00:00:18.500"}
{"id": 10, "customer": "b", "amount": null, "ts": "2026-01-01 00:00:30"}
--- file payments.json
{"id": 11, "customer": "a", "paid": 5, "ts": "2026-01-01 00:00:03"}
{"id": 12, "customer": "b", "paid": 7, "ts": "2026-01-01 00:00:04"}
{"id": 13, "customer": "a", "paid": 3, "ts": "2026-01-01 00:00:09"}
{"id": 14, "customer": null, "paid": 9, "ts": "2026-01-01 00:00:07"}
{"id": 15, "customer": "e", "paid": 1, "ts": "2026-01-01 00:00:08"}
{"id": 16, "customer": "b", "paid": 2, "ts": "2026-01-01 00:00:11"}
{"id": 17, "customer": "a", "paid": 6, "ts": "2026-01-01 00:00:13"}
{"id": 18, "customer": "c", "paid": 8, "ts": "2026-01-01 00:00:16"}
{"id": 19, "customer": "a", "paid": null, "ts": "2026-01-01 00:00:24"}
{"id": 20, "customer": "d", "paid": 4, "ts": "2026-01-01 00:00:20"}
{"id": 21, "customer": "b", "paid": 9, "ts": "2026-01-01 00:00:29.250"}
--- file calls.json
{"id": 1, "caller": "x", "ts": "2026-01-01 00:00:01"}
{"id": 2, "caller": "x", "ts": null}
{"id": 3, "caller": "y", "ts": "2026-01-01 00:00:05"}
{"id": 4, "caller": null, "ts": "2026-01-01 00:00:06"}
{"id": 5, "caller": null, "ts": null}
{"id": 6, "caller": "z", "ts": "2026-01-01 00:00:09"}
--- file answers.json
{"id": 7, "caller": "x", "ts": "2026-01-01 00:00:02"}
{"id": 8, "caller": "y", "ts": null}
{"id": 9, "caller": null, "ts": "2026-01-01 00:00:06"}
{"id": 10, "caller": "z", "ts": "2026-01-01 00:00:14"}
{"id": 11, "caller": "x", "ts": null}
--- sql
CREATE TABLE placed (
  id INT,
  customer STRING,
  amount INT,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH ('connector' = 'filesystem', 'path' = '{dir}/placed.json', 'format' = 'json');
CREATE TABLE payments (
  id INT,
  customer STRING,
  paid INT,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '6' SECOND
) WITH ('connector' = 'filesystem', 'path' = '{dir}/payments.json', 'format' = 'json');
CREATE TABLE calls (
  id INT,
  caller STRING,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH ('connector' = 'filesystem', 'path' = '{dir}/calls.json', 'format' = 'json');
CREATE TABLE answers (
  id INT,
  caller STRING,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH ('connector' = 'filesystem', 'path' = '{dir}/answers.json', 'format' = 'json');
CREATE VIEW placed_windows AS SELECT * FROM TABLE(TUMBLE(TABLE placed, DESCRIPTOR(ts), INTERVAL '10' SECOND));
CREATE VIEW payment_windows AS SELECT * FROM TABLE(TUMBLE(TABLE payments, DESCRIPTOR(ts), INTERVAL '10' SECOND));
