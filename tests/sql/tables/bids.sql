-- Bids on auctions, out of order by up to 3 s; one without an auction, one without a price.
--- file bids.json
{"auction": 1, "bidder": 10, "price": 5, "item": "pen", "ts": "2026-01-01 00:00:01"}
{"auction": 2, "bidder": 11, "price": 7, "item": "ink", "ts": "2026-01-01 00:00:04"}
{"auction": 1, "bidder": 11, "price": 3, "item": "pen", "ts": "2026-01-01 00:00:02"}
{"auction": 1, "bidder": 10, "price": 9, "item": null, "ts": "2026-01-01 00:00:11"}
{"auction": 3, "bidder": 12, "price": null, "item": "cup", "ts": "2026-01-01 00:00:08"}
{"auction": 2, "bidder": 10, "price": 4, "item": "ink", "ts": "2026-01-01 00:00:12.500"}
{"auction": null, "bidder": 11, "price": 6, "item": "cup", "ts": "2026-01-01 00:00:15"}
{"auction": 2, "bidder": 12, "price": 7, "item": "ink", "ts": "2026-01-01 00:00:19.999"}
{"auction": 1, "bidder": 12, "price": 1, "item": "pen", "ts": "2026-01-01 00:00:20"}
{"auction": 3, "bidder": 10, "price": 8, "item": "cup", "ts": "2026-01-01 00:00:33"}
--- sql
CREATE TABLE bids (
  auction BIGINT,
  bidder BIGINT,
  price INT,
  item STRING,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH ('connector' = 'filesystem', 'path' = '{dir}/bids.json', 'format' = 'json');
