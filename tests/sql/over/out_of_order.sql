-- Rows that come out of order are put in order by the watermark.
--- use bids
--- sql
SELECT auction, price, COUNT(*) OVER (PARTITION BY auction ORDER BY ts) AS n, LAG(price) OVER (PARTITION BY auction ORDER BY ts) AS before FROM bids;
--- rows
auction | price | n | before
NULL | 6 | 1 | NULL
1 | 5 | 1 | NULL
1 | 3 | 2 | 5
1 | 9 | 3 | 3
1 | 1 | 4 | 9
2 | 7 | 1 | NULL
2 | 4 | 2 | 7
2 | 7 | 3 | 4
3 | NULL | 1 | NULL
3 | 8 | 2 | NULL
