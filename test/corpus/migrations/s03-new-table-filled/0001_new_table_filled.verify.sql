select 1 / (count(*) = 0)::int from accounts a left join bands b on b.uid = a.uid where b.uid is null;
