-- A column of the primary key cannot be dropped.
--- use market
--- sql
ALTER TABLE keyed DROP k;
--- error
LV-1018
column k is in the primary key
line 1, column 24
hint: DROP PRIMARY KEY first
