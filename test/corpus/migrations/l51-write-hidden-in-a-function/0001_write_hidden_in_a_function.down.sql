drop function wipe();
