-- A text added to a number.
--- use market
--- sql
SELECT price + 'x' FROM bids;
--- error
LV-1008
INT + STRING cannot be computed
line 1, column 8
hint: texts are joined by ||; CAST(… AS INT) makes a number of a text
