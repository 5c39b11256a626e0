-- A cast that there is not.
--- use market
--- sql
SELECT CAST(ts AS BOOLEAN) FROM bids;
--- error
LV-1008
TIMESTAMP(3) cannot be cast to BOOLEAN
line 1, column 1
hint: cast to another type first, or compute the value, such as x IS NOT NULL or x > 0
