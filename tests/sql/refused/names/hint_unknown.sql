-- A mistyped hint.
--- use market
--- sql
SELECT /*+ STATE_TTLL('bids' = '1d') */ item, COUNT(*) FROM bids GROUP BY item;
--- error
LV-1017
STATE_TTLL is not a hint
line 1, column 12
hint: did you mean STATE_TTL?
