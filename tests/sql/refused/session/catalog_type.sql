-- A catalog of a type that there is not.
--- use market
--- sql
CREATE CATALOG c WITH ('type' = 'hive');
--- error
LV-1017
there are no catalogs of the type 'hive'
line 1, column 33
hint: the only type is 'generic_in_memory': the catalog lives as long as its session
