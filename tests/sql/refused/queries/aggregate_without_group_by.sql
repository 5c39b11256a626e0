-- A column beside an aggregate, without GROUP BY.
--- use market
--- sql
SELECT item, MAX(price) FROM bids;
--- error
LV-1018
bids.item in SELECT is neither in GROUP BY nor within an aggregate
line 1, column 8
hint: add it to GROUP BY, or say which value of a group is meant, such as MAX(bids.item)
