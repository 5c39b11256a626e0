-- A window of a table in another database.
--- use bids
--- skip batch: the case is about names
--- sql
CREATE DATABASE other;
CREATE VIEW other.timed AS SELECT * FROM bids;
USE other;
SELECT COUNT(*) AS n FROM TABLE(TUMBLE(TABLE other.timed, DESCRIPTOR(ts), INTERVAL '1' DAY)) GROUP BY window_start, window_end;
--- rows
n
10
