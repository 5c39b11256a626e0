-- IS NULL and IS NOT NULL.
--- use bids
--- sql
SELECT bidder, auction IS NULL AS no_auction, price IS NOT NULL AS has_price FROM bids WHERE auction IS NULL OR price IS NULL OR item IS NULL;
--- rows
bidder | no_auction | has_price
10 | false | true
12 | false | false
11 | true | true
