-- SHOW CREATE TABLE of a view.
--- use market
--- sql
SHOW CREATE TABLE cheap;
--- error
LV-1018
cheap is a view
line 1, column 19
hint: use SHOW CREATE VIEW
