-- COALESCE, NULLIF and IFNULL; GREATEST and LEAST of NULL are NULL.
--- use bids
--- sql
SELECT bidder, COALESCE(auction, price, 0) AS a, NULLIF(bidder, 10) AS b, IFNULL(price, -1) AS c, GREATEST(price, 5) AS d, LEAST(price, 5) AS e
FROM bids WHERE ts >= TIMESTAMP '2026-01-01 00:00:08' AND ts < TIMESTAMP '2026-01-01 00:00:20';
--- rows
bidder | a | b | c | d | e
10 | 1 | NULL | 9 | 9 | 5
12 | 3 | 12 | -1 | NULL | NULL
10 | 2 | NULL | 4 | 5 | 4
11 | 6 | 11 | 6 | 6 | 5
12 | 2 | 12 | 7 | 7 | 5
