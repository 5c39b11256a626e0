-- OPTIONS overrides an option of the table for one query.
--- use bids
--- file other.json
{"auction": 7, "bidder": 70, "price": 700, "item": "x", "ts": "2026-01-01 00:00:01"}
--- sql
SELECT auction, price FROM bids /*+ OPTIONS('path' = '{dir}/other.json') */;
--- rows
auction | price
7 | 700
