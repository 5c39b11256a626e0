-- Joins of streams are not supported yet; batch does them.
--- use bids
--- sql
SELECT a.item, b.price FROM bids AS a
JOIN bids AS b ON a.auction = b.auction AND a.bidder = 12 AND b.price = 9;
--- error streaming
LV-1011
JOIN
line 2, column 6
batch
--- rows
item | price
pen | 9
