-- A function of one's own that gives an array is a table function.
--- use baskets
--- sql
CREATE FUNCTION words(text STRING) RETURNS ARRAY<STRING> RETURN SPLIT(text, ' ');
SELECT id, word FROM baskets CROSS JOIN LATERAL TABLE(words('basket ' || CAST(id AS STRING))) AS w (word) WHERE id < 3;
--- rows
id | word
1 | basket
1 | 1
2 | basket
2 | 2
