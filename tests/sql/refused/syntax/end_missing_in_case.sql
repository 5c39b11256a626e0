-- CASE without END.
--- use market
--- sql
SELECT CASE WHEN price > 3 THEN 'a' FROM bids;
--- error
LV-1001
expected END, found FROM
line 1, column 37
