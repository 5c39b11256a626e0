-- A column that both tables have.
--- use market
--- sql
SELECT item FROM bids JOIN users ON bids.bidder = users.id;
--- error
LV-1009
column item is ambiguous
line 1, column 8
hint: put the table's name or alias in front of it
