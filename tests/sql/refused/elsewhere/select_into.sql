-- SELECT INTO.
--- use market
--- sql
SELECT price INTO t FROM bids;
--- error
LV-1011
SELECT … INTO is not supported
line 1, column 1
hint: write CREATE TABLE t WITH (…) AS SELECT …, or INSERT INTO t SELECT …
