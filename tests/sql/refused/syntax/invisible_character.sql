-- A character that cannot be seen.
--- use market
--- sql
SELECT price​ FROM bids;
--- error
LV-1001
expected the end of the statement, found ​
line 1, column 13
hint: an invisible character U+200B stands here: delete it
