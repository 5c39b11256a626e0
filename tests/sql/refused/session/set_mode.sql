-- A mistyped value.
--- use market
--- sql
SET 'execution.runtime-mode' = 'bach';
--- error
LV-1007
'execution.runtime-mode' cannot be 'bach'
line 1, column 5
hint: give one of 'streaming', 'batch'
