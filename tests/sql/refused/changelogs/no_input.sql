-- No table.
--- use keyed
--- sql
SELECT * FROM TO_CHANGELOG(op => DESCRIPTOR(c));
--- error
the arguments of TO_CHANGELOG do not fit
TABLE t
