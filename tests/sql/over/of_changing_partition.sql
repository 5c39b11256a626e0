-- Rows move from partition to partition when what they are counted by changes.
--- use bids
--- sql
SELECT n, bidder, RANK() OVER (PARTITION BY n ORDER BY bidder) AS r, SUM(bidder) OVER (PARTITION BY n) AS s FROM (SELECT bidder, COUNT(*) AS n FROM bids GROUP BY bidder);
--- rows
n | bidder | r | s
3 | 11 | 1 | 23
3 | 12 | 2 | 23
4 | 10 | 1 | 10
