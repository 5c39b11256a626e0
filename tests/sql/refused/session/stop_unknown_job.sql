-- A job that does not exist.
--- use market
--- sql
STOP JOB 'abc';
--- error
LV-1017
there is no job 'abc'
line 1, column 10
hint: SHOW JOBS lists them
