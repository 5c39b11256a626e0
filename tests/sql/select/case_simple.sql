-- CASE with an operand compares by equality, so NULL never matches.
--- use bids
--- sql
SELECT DISTINCT auction, CASE auction WHEN 1 THEN 'one' WHEN 2 THEN 'two' WHEN NULL THEN 'null' ELSE 'other' END AS name
FROM bids;
--- rows
auction | name
1 | one
2 | two
3 | other
NULL | other
