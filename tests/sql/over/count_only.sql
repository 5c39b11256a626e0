-- Only how many rows there are is asked for.
--- use keyed
--- sql
SELECT COUNT(*) OVER () AS n FROM keyed;
--- rows
n
9
9
9
9
9
9
9
9
9
