-- A mistyped name in SET.
--- use market
--- sql
SET 'parallelism.defualt' = '3';
--- error
LV-1017
there is no configuration 'parallelism.defualt'
line 1, column 5
hint: did you mean 'parallelism.default'?
