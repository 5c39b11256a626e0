-- A mistyped name in RESET.
--- use market
--- sql
RESET 'parallelism.defualt';
--- error
LV-1017
there is no configuration 'parallelism.defualt'
line 1, column 7
hint: did you mean 'parallelism.default'?
