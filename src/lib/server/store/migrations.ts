/**
 * Forward migrations, in order, each applied once in its own transaction. A migration that has been
 * released is never edited: the next one mends it. What must never happen is refused here, by the
 * database, and not only by the code above it.
 */

const first = String.raw`
create table meta (key text primary key, value text not null);

create table requests (
  hash text primary key, key text not null, purpose text not null, ref text not null,
  payload text not null, sig text not null, at_ms bigint not null
);

create table log_head (one boolean primary key default true check (one), size bigint not null);
insert into log_head (size) values (0);
create table log_leaves (index bigint primary key, bytes bytea not null, hash bytea not null);
create table log_tiles (level int not null, index bigint not null, hashes bytea not null, primary key (level, index));

create table balances (account text primary key, micro bigint not null,
  constraint balances_not_negative check (account = 'mint' or micro >= 0));
create table entries (
  id bigint primary key, kind text not null check (kind in ('grant', 'escrow', 'settle', 'refund')),
  account text, job text, lease text, request text, at_ms bigint not null
);
create unique index entries_one_settle_per_lease on entries (lease) where kind = 'settle';
create unique index entries_one_escrow_per_job on entries (job) where kind = 'escrow';
create unique index entries_one_refund_per_job on entries (job) where kind = 'refund';
create unique index entries_one_grant_per_account on entries (account) where kind = 'grant';
create index entries_by_job on entries (job) where job is not null;
create table postings (
  entry bigint not null references entries (id), account text not null, micro bigint not null check (micro <> 0),
  primary key (entry, account)
);
create index postings_by_account on postings (account, entry);

-- Every statement that posts must balance per entry; balances follow in the same statement.
create function postings_added() returns trigger language plpgsql as $$
begin
  if exists (select 1 from added group by entry having sum(micro) <> 0) then
    raise exception 'postings of an entry must sum to zero' using errcode = 'check_violation';
  end if;
  insert into balances (account, micro) select distinct account, 0 from added order by account on conflict do nothing;
  update balances b set micro = b.micro + d.micro
    from (select account, sum(micro) as micro from added group by account) d where b.account = d.account;
  return null;
end $$;
create trigger postings_added after insert on postings
  referencing new table as added for each statement execute function postings_added();

create function append_only() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only', tg_table_name using errcode = 'check_violation';
end $$;
create trigger postings_append_only before update or delete on postings for each row execute function append_only();
create trigger entries_append_only before update or delete on entries for each row execute function append_only();
create trigger log_leaves_append_only before update or delete on log_leaves for each row execute function append_only();

create table jobs (
  id text primary key, creator text not null, order_json text not null, order_hash text not null,
  cap_micro bigint not null, price_micro bigint not null, checker_share int not null, fee_share int not null,
  leaves_per_check int not null, state text not null check (state in ('open', 'done', 'cancelled', 'failed')),
  reason text not null, slots int not null, next_slot int not null default 0 check (next_slot <= slots),
  settled int not null default 0 check (settled <= slots), redone int not null default 0, checks int not null default 0,
  segments bigint not null default 0, spent_micro bigint not null default 0 check (spent_micro <= cap_micro),
  refunded boolean not null default false, created_ms bigint not null
);
create index jobs_unfinished on jobs (created_ms) where not refunded;
create index jobs_by_creator on jobs (creator);
create table redo (job text not null references jobs (id), slot int not null, attempt int not null, failures int not null,
  primary key (job, slot));
create table leases (
  id text primary key, job text not null references jobs (id), slot int not null, attempt int not null, failures int not null,
  worker text not null, worker_peer text not null,
  state text not null check (state in ('granted', 'committed', 'settled', 'voided', 'released')),
  granted_ms bigint not null, deadline_ms bigint not null, root text, segments bigint, committed_ms bigint,
  received boolean not null default false, corrupt int not null default 0, unavailable int not null default 0,
  verdict text check (verdict in ('pass', 'fail')), verdict_ms bigint, ended_ms bigint, reason text
);
create unique index leases_one_live_per_slot on leases (job, slot) where state in ('granted', 'committed', 'settled');
create index leases_running on leases (state, worker_peer) where state in ('granted', 'committed');
create index leases_by_job on leases (job, state);

create table beacons (chain int primary key, seed text not null, length int not null, next int not null check (next <= length));
create table nonces (commitment text primary key, checker text not null, checker_peer text not null, used boolean not null default false);
create index nonces_unused on nonces (checker_peer) where not used;
create table checks (
  nonce_commitment text primary key references nonces (commitment), lease text not null references leases (id),
  checker text not null, checker_peer text not null, beacon text not null,
  state text not null check (state in ('drawn', 'pass', 'fail', 'unavailable', 'expired', 'withdrawn')),
  deadline_ms bigint not null
);
create index checks_by_lease on checks (lease);
create index checks_drawn on checks (deadline_ms) where state = 'drawn';

create table faults (worker text not null, job text not null, count int not null, primary key (worker, job));
create table meters (worker text primary key, segments bigint not null, trace_ms bigint not null);
`;

/** Films that never came, and a slot's history by its place. */
const missing = String.raw`
alter table leases add column missing int not null default 0;
create index leases_by_slot on leases (job, slot);
`;

/** Trust: what is known of workers and checkers, and what is held back of earnings. */
const trust = String.raw`
alter table entries drop constraint entries_kind_check;
alter table entries add constraint entries_kind_check
  check (kind in ('grant', 'escrow', 'settle', 'refund', 'forfeit', 'release'));
create unique index entries_one_forfeit_per_lease on entries (lease) where kind = 'forfeit';

alter table leases add column adapter_class text not null default '', add column weights text,
  add column second boolean not null default false;
alter table checks add column leaves int, add column audit_ppm int not null default 0,
  add column adapter_class text not null default '', add column reason text;
update checks c set leaves = j.leaves_per_check from leases l join jobs j on j.id = l.job where l.id = c.lease;
alter table checks alter column leaves set not null;
create index checks_by_checker on checks (checker);

create table standings (
  worker text primary key, passes int not null default 0, faults int not null default 0, doubts int not null default 0,
  top_micro bigint not null default 0, differing double precision not null default 1,
  brighter double precision not null default 1, darker double precision not null default 1, last_ms bigint not null default 0
);
create table observations (
  leaf bigint primary key, worker text not null, checker text not null,
  paths bigint not null, paths_equal bigint not null check (paths_equal <= paths), bias_ppm int not null
);
create index observations_by_worker on observations (worker, leaf);
create table grades (
  checker text primary key, good int not null, good_right int not null, bad int not null, bad_right int not null,
  answered int not null, missed int not null, check (good_right <= good and bad_right <= bad)
);
`;

/** Whether a verdict is about all of a film. */
const whole = String.raw`
alter table checks add column whole boolean not null default false;
`;

/** Drills, appeals and people's words; what checks found, for those who are to look at it. */
const hearings = String.raw`
alter table entries drop constraint entries_kind_check;
alter table entries add constraint entries_kind_check
  check (kind in ('grant', 'escrow', 'settle', 'refund', 'forfeit', 'release', 'drill', 'restore'));
create unique index entries_one_drill_per_lease on entries (lease) where kind = 'drill';
create unique index entries_one_restore_per_lease on entries (lease) where kind = 'restore';
alter table leases add column drill text, add column faulted boolean not null default false, add column shader text not null default '';
alter table checks add column drawn text not null default '', add column paths bigint not null default 0,
  add column paths_equal bigint not null default 0, add column pixels_wrong bigint not null default 0, add column at_ms bigint not null default 0;
create table drills (
  lease text primary key references leases (id), root text not null, tells text not null,
  request text not null, payload text not null, key text not null, sig text not null
);
create table appeals (
  lease text primary key references leases (id), text text not null, at_ms bigint not null,
  outcome text not null default 'open' check (outcome in ('open', 'granted', 'denied'))
);
create index appeals_open on appeals (at_ms) where outcome = 'open';
create table words (
  lease text not null references leases (id), reviewer text not null, word text not null check (word in ('accept', 'reject', 'unsure')),
  house boolean not null, heard boolean not null, at_ms bigint not null, primary key (lease, reviewer)
);
create index leases_voided on leases (ended_ms) where state = 'voided';
`;

/** Witnesses: what they cosigned, and where each of them is. */
const witnessed = String.raw`
create table checkpoints (size bigint primary key, note text not null, at_ms bigint not null);
create index checkpoints_by_time on checkpoints (at_ms);
create table cosignatures (
  size bigint not null references checkpoints (size) on delete cascade, witness text not null, line text not null, at_ms bigint not null,
  primary key (size, witness)
);
create table witnesses (key text primary key, size bigint not null check (size >= 0), at_ms bigint not null);
`;

/** The market: its rounds, and the price that a lease was given at. */
const market = String.raw`
create table rounds (
  round bigint primary key, tier text not null, at_ms bigint not null, record text not null, reference text not null,
  buy_micro bigint not null, sell_micro bigint not null check (sell_micro <= buy_micro), units bigint not null
);
create index rounds_by_tier on rounds (tier, round);
create trigger rounds_append_only before update or delete on rounds for each row execute function append_only();
alter table leases add column round bigint references rounds (round), add column buy_micro bigint, add column sell_micro bigint,
  add constraint leases_priced check ((round is null) = (buy_micro is null) and (round is null) = (sell_micro is null));
alter table jobs add column work_micro bigint not null default 0;
update jobs set work_micro = trunc(segments::numeric * price_micro / 1000000000);
`;

/** Tiles of which their creator wants no more. */
const quietTiles = String.raw`
alter table jobs add column quiet text not null default '[]';
`;

/** Several coordinators on one database: who is alive, who is connected to whom, what is to be passed on. A crash may empty these. */
const instances = String.raw`
create unlogged table instances (id text primary key, seen_ms bigint not null);
create unlogged table presence (
  kind text not null check (kind in ('control', 'signal')), peer text not null,
  instance text not null references instances (id) on delete cascade, state text not null, primary key (kind, peer)
);
create index presence_by_instance on presence (instance);
create unlogged table mail (
  id bigserial primary key, instance text not null references instances (id) on delete cascade,
  kind text not null, peer text not null, text text not null
);
create index mail_by_instance on mail (instance);
`;

/** Who wrote last: what another instance keeps in memory is stale then. */
const writer = String.raw`
alter table log_head add column writer text not null default '';
create index checks_by_checker_and_time on checks (checker, deadline_ms);
drop index checks_by_checker;
`;

/** The tail of a job: a slot has two places for leases, and one lease that is ever settled. */
const twins = String.raw`
alter table leases add column place int not null default 0 check (place in (0, 1)), add column twin text;
drop index leases_one_live_per_slot;
create unique index leases_one_live_per_place on leases (job, slot, place) where state in ('granted', 'committed', 'settled');
create unique index leases_one_settled_per_slot on leases (job, slot) where state = 'settled';
`;

/** Who traced before it saw the film. */
const retraces = String.raw`
alter table checks add column retrace_root text, add column retrace_beacon text,
  add constraint checks_retraced check ((retrace_root is null) = (retrace_beacon is null));
`;

/** Leases whose check is due, the oldest first, and whether one is drawn. */
const undecided = String.raw`
create index leases_undecided on leases (committed_ms) where state = 'committed' and verdict is null;
create index checks_drawn_by_lease on checks (lease) where state = 'drawn';
`;

export const migrations: readonly { readonly version: number; readonly sql: string }[] = [
  { version: 1, sql: first },
  { version: 2, sql: missing },
  { version: 3, sql: trust },
  { version: 4, sql: whole },
  { version: 5, sql: hearings },
  { version: 6, sql: witnessed },
  { version: 7, sql: market },
  { version: 8, sql: quietTiles },
  { version: 9, sql: instances },
  { version: 10, sql: writer },
  { version: 11, sql: twins },
  { version: 12, sql: retraces },
  { version: 13, sql: undecided },
];
