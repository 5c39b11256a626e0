-- Of a row that is taken back the time may have passed.
--- skip batch: batch has all rows at once, and any time can be in a window
--- use sales
--- sql
CREATE VIEW log AS SELECT * FROM FROM_CHANGELOG(input => TABLE sales, op => DESCRIPTOR(item), op_mapping => MAP['pen', 'INSERT', 'ink', 'DELETE'], error_handling => 'SKIP');
SELECT window_start, COUNT(*) FROM TABLE(TUMBLE(TABLE log, DESCRIPTOR(ts), INTERVAL '5' SECOND)) GROUP BY window_start, window_end;
--- error
a window needs a time attribute, and ts is none
behind FROM_CHANGELOG, if its rows change, no column is a time attribute
