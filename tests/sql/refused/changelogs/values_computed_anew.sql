-- A row with a random number could not be found again to take it back.
--- skip batch: what is random is computed once there
--- use keyed
--- sql
CREATE VIEW log AS SELECT k AS op, RAND() AS r FROM keyed;
SELECT * FROM FROM_CHANGELOG(input => TABLE log, op_mapping => MAP['a', 'INSERT', 'b', 'DELETE'], error_handling => 'SKIP');
--- error
FROM_CHANGELOG of rows with values that are computed anew each time
could not be found again
