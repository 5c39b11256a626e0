-- Functions of a module in the condition of a join, in a window and behind it.
--- use bids
--- module example
--- sql
CREATE FUNCTION twice(n BIGINT) RETURNS BIGINT LANGUAGE WASM USING MODULE '{dir}/example.wasm';
CREATE FUNCTION shout(s STRING) RETURNS STRING LANGUAGE WASM USING MODULE '{dir}/example.wasm';
SELECT a.bidder, b.bidder AS other, shout(a.item) AS item, twice(a.price) AS p
FROM bids AS a JOIN bids AS b ON a.auction = b.auction AND twice(a.price) < b.price AND shout(a.item) = shout(b.item);
--- rows
bidder | other | item | p
12 | 10 | PEN | 2
12 | 11 | PEN | 2
