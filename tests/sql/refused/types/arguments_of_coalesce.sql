-- Values of types that do not go together.
--- use market
--- sql
SELECT COALESCE(price, ts) FROM bids;
--- error
LV-1008
COALESCE is given arguments whose types do not go together
line 1, column 8
hint: use CAST to bring them to one type
