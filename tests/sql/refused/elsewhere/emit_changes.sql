-- EMIT CHANGES of ksqlDB.
--- use market
--- sql
SELECT * FROM bids EMIT CHANGES;
--- error
LV-1001
expected the end of the statement, found CHANGES
line 1, column 25
hint: leave EMIT CHANGES out: a query of a stream gives its changes as they come
