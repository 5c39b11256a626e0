-- WINDOW TUMBLING of ksqlDB.
--- use market
--- sql
SELECT item, COUNT(*) FROM bids WINDOW TUMBLING (SIZE 10 SECONDS) GROUP BY item;
--- error
LV-1001
expected AS, found (
line 1, column 49
hint: write GROUP BY TUMBLE(ts, INTERVAL '10' SECOND)
