-- Rows that only come are inserts.
--- use keyed
--- sql
SELECT * FROM TO_CHANGELOG(input => TABLE keyed);
--- rows
op | id | k | v | d
INSERT | 1 | a | 10 | 1.50
INSERT | 2 | b | 20 | 2.25
INSERT | 3 | a | 30 | NULL
INSERT | 4 | c | NULL | 0.75
INSERT | 5 | b | 20 | -1.00
INSERT | 6 | a | 5 | 10.00
INSERT | 7 | NULL | 7 | 3.10
INSERT | 8 | NULL | 8 | NULL
INSERT | 9 | d | 1 | 100.01
