-- A comment without an end.
--- use market
--- sql
SELECT price /* FROM bids;
--- error
LV-1001
the comment that begins here has no closing */
line 1, column 14
