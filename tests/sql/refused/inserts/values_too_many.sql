-- A value too many.
--- use market
--- sql
INSERT INTO files VALUES (1, 2, 3);
--- error
LV-1018
the query has 3 columns, and table files expects 2
line 1, column 19
hint: name the columns that the query gives, as in INSERT INTO files (a, b); the others are NULL
