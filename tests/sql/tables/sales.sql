-- Sales of shops: several of one amount, some without a shop, an item, an amount or a price. No two have the
-- same time.
--- file sales.json
{"id": 1, "shop": "a", "item": "pen", "amount": 5, "price": 1.50, "open": true, "day": "2026-01-03", "ts": "2026-01-01 00:00:05"}
{"id": 2, "shop": "b", "item": "ink", "amount": 7, "price": 2.25, "open": false, "day": "2026-01-01", "ts": "2026-01-01 00:00:02"}
{"id": 3, "shop": "a", "item": "ink", "amount": 9, "price": 0.75, "open": null, "day": "2026-01-02", "ts": "2026-01-01 00:00:09"}
{"id": 4, "shop": "a", "item": "cup", "amount": 5, "price": 10.00, "open": false, "day": "2026-01-01", "ts": "2026-01-01 00:00:01"}
{"id": 5, "shop": null, "item": "pen", "amount": 3, "price": 3.10, "open": true, "day": null, "ts": "2026-01-01 00:00:04"}
{"id": 6, "shop": "b", "item": "cup", "amount": null, "price": 0.05, "open": true, "day": "2026-01-04", "ts": "2026-01-01 00:00:12"}
{"id": 7, "shop": "a", "item": null, "amount": 8, "price": null, "open": false, "day": "2026-01-05", "ts": "2026-01-01 00:00:08"}
{"id": 8, "shop": "b", "item": "pen", "amount": 7, "price": -1.00, "open": true, "day": "2026-01-02", "ts": "2026-01-01 00:00:03"}
{"id": 9, "shop": null, "item": "ink", "amount": 6, "price": 2.25, "open": false, "day": "2026-01-06", "ts": "2026-01-01 00:00:10"}
{"id": 10, "shop": "c", "item": "cup", "amount": 4, "price": 4.40, "open": true, "day": "2026-01-03", "ts": "2026-01-01 00:00:07.250"}
{"id": 11, "shop": "a", "item": "pen", "amount": 9, "price": 9.99, "open": true, "day": "2026-01-04", "ts": "2026-01-01 00:00:11"}
{"id": 12, "shop": "b", "item": "ink", "amount": 2, "price": 2.20, "open": null, "day": null, "ts": "2026-01-01 00:00:06"}
--- sql
CREATE TABLE sales (
  id INT,
  shop STRING,
  item STRING,
  amount INT,
  price DECIMAL(10, 2),
  `open` BOOLEAN,
  `day` DATE,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '15' SECOND
) WITH ('connector' = 'filesystem', 'path' = '{dir}/sales.json', 'format' = 'json');
