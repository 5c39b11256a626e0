-- Codes are texts.
--- use keyed
--- sql
SELECT * FROM FROM_CHANGELOG(input => TABLE keyed, op => DESCRIPTOR(v));
--- error
the codes of FROM_CHANGELOG are texts, and v is INT
