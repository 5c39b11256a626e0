-- Comments of all kinds, also between the words of a statement.
--- use bids
--- sql
-- a line; with a semicolon
/* several
   lines; -- */
SELECT /* one */ price -- two
FROM bids /* three; */ WHERE price > 8; -- four
--- rows
price
9
