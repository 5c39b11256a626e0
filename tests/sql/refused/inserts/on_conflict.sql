-- ON CONFLICT of PostgreSQL.
--- use market
--- sql
INSERT INTO keyed SELECT price, item FROM bids ON CONFLICT DO NOTHING;
--- error
LV-1001
expected the end of the statement, found ON
line 1, column 48
hint: leave ON CONFLICT out: in a table with a PRIMARY KEY a row replaces the one of its key
