-- A value that is no number.
--- use market
--- sql
SET 'parallelism.default' = 'many';
--- error
LV-1007
'parallelism.default' cannot be 'many'
line 1, column 5
hint: give a number from 1 to 32768
