-- UNION without ALL gives each row once.
--- use bids
--- sql
SELECT auction AS n FROM bids UNION SELECT bidder FROM bids;
--- rows
n
1
2
3
NULL
10
11
12
