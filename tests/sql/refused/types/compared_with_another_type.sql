-- A timestamp compared with a number.
--- use market
--- sql
SELECT * FROM bids JOIN users ON bids.ts = users.id;
--- error
LV-1008
TIMESTAMP(3) = BIGINT cannot be compared
line 1, column 34
hint: use CAST to bring both sides to one type
