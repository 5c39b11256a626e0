-- The maximum falls when the last row that had it is updated away.
--- use keyed
--- sql
SELECT parity, MAX(low) AS top FROM (SELECT k, MIN(v) AS low, COUNT(*) % 2 AS parity FROM keyed GROUP BY k) GROUP BY parity;
--- rows
parity | top
0 | 20
1 | 5
