-- ON DUPLICATE KEY of MySQL.
--- use market
--- sql
INSERT INTO files VALUES (1, 2) ON DUPLICATE KEY UPDATE n = 2;
--- error
LV-1001
expected the end of the statement, found ON
line 1, column 33
hint: leave ON DUPLICATE KEY out: in a table with a PRIMARY KEY a row replaces the one of its key
