-- A system function in front of a function that is built in does not see that one.
--- use keyed
--- sql
CREATE TEMPORARY SYSTEM FUNCTION upper(s STRING) RETURNS STRING RETURN UPPER(s) || '!';
SELECT upper(k) FROM keyed;
--- error
LV-1018
calls itself
