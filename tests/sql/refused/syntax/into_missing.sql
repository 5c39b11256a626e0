-- INSERT TO instead of INSERT INTO.
--- use market
--- sql
INSERT TO files SELECT auction, 1 FROM bids;
--- error
LV-1001
expected INTO or OVERWRITE, found TO
line 1, column 8
hint: write INSERT INTO t SELECT …
