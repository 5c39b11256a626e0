-- A database that does not exist.
--- use market
--- sql
USE sales;
--- error
LV-1017
database sales does not exist
line 1, column 5
hint: the databases are: default_database
