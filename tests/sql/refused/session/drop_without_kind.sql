-- DROP without TABLE.
--- use market
--- sql
DROP bids;
--- error
LV-1001
expected TABLE, VIEW, DATABASE, CATALOG or FUNCTION, found bids
line 1, column 6
hint: say what it is that is dropped, as in DROP TABLE t
