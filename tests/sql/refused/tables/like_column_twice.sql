-- A column that the other table has.
--- use market
--- sql
CREATE TABLE t (price INT) LIKE bids;
--- error
LV-1010
table bids has a column price already
line 1, column 17
hint: columns that hold data always come in: leave it out, or give it another name
