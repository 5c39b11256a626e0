-- A catalog that does not exist.
--- use market
--- sql
USE CATALOG hive;
--- error
LV-1017
catalog hive does not exist
line 1, column 13
hint: the catalogs are: default_catalog
