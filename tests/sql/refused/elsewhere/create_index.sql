-- An index.
--- use market
--- sql
CREATE INDEX i ON bids (price);
--- error
LV-1011
CREATE INDEX is not supported
line 1, column 8
hint: leave it out: what a query looks up is kept by key without being told
