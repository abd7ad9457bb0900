-- Version 17. How far what an account taught is in the counts of all (taught_by_all): features below this number; all of
-- them where there is none. Accounts that are young are not heard yet.
ALTER TABLE taught_total ADD COLUMN heard_below BIGINT;
