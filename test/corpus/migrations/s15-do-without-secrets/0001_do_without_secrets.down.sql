delete from accounts where uid = 'house';
