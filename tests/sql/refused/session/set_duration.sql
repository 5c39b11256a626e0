-- A value that is no duration.
--- use market
--- sql
SET 'execution.checkpointing.interval' = '10 secs ago';
--- error
LV-1007
'execution.checkpointing.interval' cannot be '10 secs ago'
line 1, column 5
hint: give a duration such as '500 ms', '10 s' or '1 min'
