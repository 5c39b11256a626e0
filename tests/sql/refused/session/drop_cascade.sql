-- DROP TABLE with CASCADE.
--- use market
--- sql
DROP TABLE bids CASCADE;
--- error
LV-1011
CASCADE behind a table or view is not supported
line 1, column 17
hint: views that read it stay, and say that it is gone when they are used
