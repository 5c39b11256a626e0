-- Regular expressions, hashes and splits of columns, in a condition and as the key of an aggregation.
--- use bids
--- sql
SELECT REGEXP_SUBSTR(item, '[aeiou]') AS vowel, SPLIT(item, 'n')[1] AS head, COUNT(*) AS n, MAX(RIGHT(SHA2(item, 256), 4)) AS hash
FROM bids WHERE item IS NULL OR REGEXP_COUNT(item, '\w') = 3 GROUP BY REGEXP_SUBSTR(item, '[aeiou]'), SPLIT(item, 'n')[1];
--- rows
vowel | head | n | hash
e | pe | 3 | 3058
i | i | 3 | 4165
NULL | NULL | 1 | NULL
u | cup | 3 | 362a
