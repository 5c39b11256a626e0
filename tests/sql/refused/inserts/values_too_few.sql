-- A column too few.
--- use market
--- sql
INSERT INTO files SELECT auction FROM bids;
--- error
LV-1018
the query has 1 column, and table files expects 2
line 1, column 19
hint: name the columns that the query gives, as in INSERT INTO files (a, b); the others are NULL
