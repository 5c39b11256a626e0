-- The condition has to say what each column of the key equals.
--- use rates
--- sql
SELECT a.id FROM asked AS a JOIN quotes FOR SYSTEM_TIME AS OF a.ts AS q ON a.who = q.dealer AND q.price = a.id;
--- error
needs its key, and the condition does not say what currency equals
line 1, column 34
