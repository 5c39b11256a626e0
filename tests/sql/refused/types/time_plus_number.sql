-- A number added to a timestamp.
--- use market
--- sql
SELECT ts + 5 FROM bids;
--- error
LV-1008
TIMESTAMP(3) + BIGINT cannot be computed
line 1, column 8
hint: add or take away an interval, such as INTERVAL '5' SECOND
