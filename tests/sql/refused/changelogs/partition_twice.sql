-- PARTITION BY takes a column once.
--- use keyed
--- sql
SELECT * FROM TO_CHANGELOG(input => TABLE keyed PARTITION BY (k, k));
--- error
names the column k twice
