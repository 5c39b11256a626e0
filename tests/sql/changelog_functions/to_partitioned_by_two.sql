-- Two columns of PARTITION BY, without parentheses, in front of another argument.
--- use keyed
--- sql
SELECT * FROM TO_CHANGELOG(TABLE keyed PARTITION BY v, k, DESCRIPTOR(c), MAP['INSERT', '+']) WHERE id = 1;
--- rows
v | k | c | id | d
10 | a | + | 1 | 1.50
