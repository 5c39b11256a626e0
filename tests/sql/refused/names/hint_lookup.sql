-- A hint for a table that nobody asks by key.
--- use directory
--- skip batch: hints are for streams
--- sql
SELECT /*+ LOOKUP('table' = 'people', 'capacity' = '3') */ o.id FROM orders AS o
JOIN people FOR SYSTEM_TIME AS OF o.pt AS p ON o.person = p.id;
--- error
LOOKUP names 'people', which no join asks by key
line 1, column 12
