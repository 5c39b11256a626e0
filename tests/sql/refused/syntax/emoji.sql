-- A character without meaning.
--- use market
--- sql
SELECT 😀 FROM bids;
--- error
LV-1001
expected an expression, found 😀
line 1, column 8
hint: the character U+1F600 has no meaning outside of texts and quoted names
