-- DROP TABLE of a view.
--- use market
--- sql
DROP TABLE cheap;
--- error
LV-1018
cheap is a view
line 1, column 12
hint: use DROP VIEW
