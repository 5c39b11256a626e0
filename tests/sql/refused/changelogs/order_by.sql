-- An order has no meaning.
--- use keyed
--- sql
SELECT * FROM TO_CHANGELOG(input => TABLE keyed PARTITION BY k ORDER BY id);
--- error
ORDER BY has no meaning in TO_CHANGELOG
