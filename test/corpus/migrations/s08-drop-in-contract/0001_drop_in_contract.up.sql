-- midflight: phase contract
alter table accounts drop column nickname;
