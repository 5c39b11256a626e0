-- The id of a job without quotes.
--- use market
--- sql
STOP JOB abc;
--- error
LV-1001
expected the job's id in quotes, found abc
line 1, column 10
hint: SHOW JOBS lists the ids
