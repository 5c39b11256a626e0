-- The columns of PARTITION BY come first, then the code.
--- use keyed
--- sql
SELECT * FROM TO_CHANGELOG(input => TABLE keyed PARTITION BY k) AS log WHERE log.op = 'INSERT' AND k IN ('a', 'd');
--- rows
k | op | id | v | d
a | INSERT | 1 | 10 | 1.50
a | INSERT | 3 | 30 | NULL
a | INSERT | 6 | 5 | 10.00
d | INSERT | 9 | 1 | 100.01
