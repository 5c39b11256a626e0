-- WHERE does not know what SELECT calls a column.
--- use market
--- sql
SELECT price * 2 AS twice FROM bids WHERE twice > 3;
--- error
LV-1003
column twice does not exist
line 1, column 43
hint: twice is what SELECT calls a column, which WHERE and ON do not know yet: write its expression, or put the query into FROM (…)
