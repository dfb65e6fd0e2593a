delete from accounts where uid = 'u99';
