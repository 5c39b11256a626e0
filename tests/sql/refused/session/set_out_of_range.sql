-- A number that is out of range.
--- use market
--- sql
SET 'parallelism.default' = '0';
--- error
LV-1007
'parallelism.default' cannot be '0'
line 1, column 5
hint: give a number from 1 to 32768
