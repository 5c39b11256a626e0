-- UNION of a number and a timestamp.
--- use market
--- sql
SELECT price FROM bids UNION ALL SELECT ts FROM bids;
--- error
LV-1008
UNION cannot put INT and TIMESTAMP(3) into one column (ts)
line 1, column 41
hint: use CAST on one side
