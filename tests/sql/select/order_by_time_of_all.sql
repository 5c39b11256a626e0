-- ORDER BY loses no rows, on streams as in batch mode.
--- use bids
--- sql
SELECT auction, price FROM bids WHERE price > 5 ORDER BY ts, price;
--- rows
auction | price
2 | 7
1 | 9
NULL | 6
2 | 7
3 | 8
