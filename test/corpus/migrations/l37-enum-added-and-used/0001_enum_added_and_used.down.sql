update accounts set mood = 'calm' where shard = 3;
