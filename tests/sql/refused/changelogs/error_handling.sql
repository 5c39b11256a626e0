-- Two ways to handle rows with other codes.
--- use keyed
--- sql
SELECT * FROM FROM_CHANGELOG(input => TABLE keyed, op => DESCRIPTOR(k), error_handling => 'IGNORE');
--- error
error_handling is 'FAIL' or 'SKIP'
