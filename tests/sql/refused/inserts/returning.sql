-- RETURNING of PostgreSQL.
--- use market
--- sql
INSERT INTO files VALUES (1, 2) RETURNING auction;
--- error
LV-1001
expected the end of the statement, found RETURNING
line 1, column 33
hint: an INSERT gives no rows: leave RETURNING out
