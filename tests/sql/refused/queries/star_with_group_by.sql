-- All columns, where rows are grouped by one.
--- use market
--- sql
SELECT * FROM bids GROUP BY item;
--- error
LV-1018
bids.auction in SELECT is neither in GROUP BY nor within an aggregate
line 1, column 1
hint: add it to GROUP BY, or say which value of a group is meant, such as MAX(bids.auction)
