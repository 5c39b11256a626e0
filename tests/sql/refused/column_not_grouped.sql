-- A column that is neither grouped nor aggregated.
--- use bids
--- sql
SELECT item, bidder, COUNT(*) FROM bids GROUP BY item;
--- error
LV-10
bidder
