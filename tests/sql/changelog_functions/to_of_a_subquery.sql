-- The input is a query.
--- use keyed
--- sql
SELECT op, n FROM TABLE(TO_CHANGELOG(input => (SELECT k AS n FROM keyed WHERE v > 15)));
--- rows
op | n
INSERT | b
INSERT | a
INSERT | b
