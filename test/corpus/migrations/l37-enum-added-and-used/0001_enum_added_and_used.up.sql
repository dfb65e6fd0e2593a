-- midflight: phase expand
alter type mood add value 'hectic' after 'calm';
update accounts set mood = 'hectic' where shard = 3;
