-- An alias gives the columns other names.
--- use keyed
--- sql
SELECT change, number FROM TO_CHANGELOG(input => (SELECT id FROM keyed)) AS log (change, number) WHERE number > 7;
--- rows
change | number
INSERT | 8
INSERT | 9
