-- Prices of three symbols, out of order; some without a price or a quantity. No two have the same time.
--- file ticks.json
{"id": 5, "sym": "oak", "price": null, "qty": 2, "ts": "2026-03-01 10:01:10"}
{"id": 25, "sym": "elm", "price": 22, "qty": 3, "ts": "2026-03-01 10:21:00"}
{"id": 14, "sym": "oak", "price": 8, "qty": 1, "ts": "2026-03-01 10:04:10"}
{"id": 3, "sym": "elm", "price": 30, "qty": 1, "ts": "2026-03-01 10:00:30"}
{"id": 11, "sym": "oak", "price": 4, "qty": 1, "ts": "2026-03-01 10:03:10"}
{"id": 10, "sym": "ash", "price": 21, "qty": 3, "ts": "2026-03-01 10:03:00"}
{"id": 28, "sym": "oak", "price": 2, "qty": 1, "ts": "2026-03-01 11:05:10"}
{"id": 26, "sym": "elm", "price": 21, "qty": 1, "ts": "2026-03-01 10:22:00"}
{"id": 13, "sym": "ash", "price": 25, "qty": 2, "ts": "2026-03-01 10:04:00"}
{"id": 18, "sym": "ash", "price": 15, "qty": 1, "ts": "2026-03-01 10:06:00"}
{"id": 27, "sym": "oak", "price": 9, "qty": 1, "ts": "2026-03-01 11:04:10"}
{"id": 7, "sym": "ash", "price": 19, "qty": 1, "ts": "2026-03-01 10:02:00"}
{"id": 16, "sym": "ash", "price": 18, "qty": 1, "ts": "2026-03-01 10:05:00"}
{"id": 19, "sym": "elm", "price": 29, "qty": 1, "ts": "2026-03-01 10:06:30"}
{"id": 22, "sym": "ash", "price": 25, "qty": 2, "ts": "2026-03-01 10:09:00"}
{"id": 4, "sym": "ash", "price": 17, "qty": 2, "ts": "2026-03-01 10:01:00"}
{"id": 6, "sym": "elm", "price": 28, "qty": 4, "ts": "2026-03-01 10:01:30"}
{"id": 2, "sym": "oak", "price": 5, "qty": null, "ts": "2026-03-01 10:00:10"}
{"id": 8, "sym": "oak", "price": 6, "qty": 1, "ts": "2026-03-01 10:02:10"}
{"id": 15, "sym": "elm", "price": 31, "qty": 2, "ts": "2026-03-01 10:04:30"}
{"id": 1, "sym": "ash", "price": 12, "qty": 1, "ts": "2026-03-01 10:00:00"}
{"id": 17, "sym": "elm", "price": 33, "qty": 2, "ts": "2026-03-01 10:05:30"}
{"id": 21, "sym": "ash", "price": 24, "qty": 2, "ts": "2026-03-01 10:08:00"}
{"id": 23, "sym": "ash", "price": 19, "qty": 1, "ts": "2026-03-01 10:10:00"}
{"id": 12, "sym": "elm", "price": 26, "qty": 1, "ts": "2026-03-01 10:03:30"}
{"id": 24, "sym": "elm", "price": 20, "qty": 1, "ts": "2026-03-01 10:20:00"}
{"id": 9, "sym": "elm", "price": 27, "qty": 1, "ts": "2026-03-01 10:02:30"}
{"id": 20, "sym": "ash", "price": 14, "qty": 2, "ts": "2026-03-01 10:07:00"}
--- sql
CREATE TABLE ticks (
  id INT,
  sym STRING,
  price INT,
  qty INT,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '2' HOUR
) WITH ('connector' = 'filesystem', 'path' = '{dir}/ticks.json', 'format' = 'json');
