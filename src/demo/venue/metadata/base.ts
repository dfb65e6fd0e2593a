import { GATEWAY } from "./postgres.ts";

/** The metadata as release 1.0 of the gateway reads it, before any migration. Run by the owner. */
export const BASE_SCHEMA = `
create table instruments (
  inst_id           text primary key,
  inst_id_code      int not null unique,
  inst_type         text not null,
  base_ccy          text not null,
  quote_ccy         text not null,
  tick_sz           numeric not null,
  lot_sz            numeric not null,
  min_sz            numeric not null,
  max_limit_sz      numeric not null,
  state             text not null,
  max_deviation_pct numeric not null
);
create table fee_tiers (
  tier      text primary key,
  maker_fee numeric not null,
  taker_fee numeric not null
);
create table accounts (
  uid    text primary key,
  shard  int not null,
  tier   text not null references fee_tiers (tier),
  status text not null default 'normal'
);
create table routes (
  shard  int primary key,
  engine text not null
);
-- The rows here are written by users. No migration takes them back.
create table account_settings (
  uid        text primary key references accounts (uid),
  leverage   numeric not null default 1,
  updated_at timestamptz not null default now()
);
grant select on instruments, fee_tiers, accounts, routes to ${GATEWAY};
grant select, insert, update on account_settings to ${GATEWAY};
`;
