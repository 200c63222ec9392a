-- What programs sign in with: keys that a person makes, and tickets for streams that cannot send a header.

create table asura.api_keys (
	id uuid primary key default gen_random_uuid(),
	user_id uuid not null references auth.users (id) on delete cascade,
	name text not null check (char_length(name) between 1 and 100),
	key_hash text not null unique check (key_hash ~ '^[0-9a-f]{64}$'),
	-- How the key begins, by which a person knows it again.
	hint text not null check (char_length(hint) <= 16),
	-- As with sessions: worth nothing once that way of signing in is no longer configured.
	provider text not null,
	scopes text[] not null check (scopes <@ array['read', 'write', 'admin'] and cardinality(scopes) > 0),
	created_at timestamptz not null default now(),
	last_used_at timestamptz,
	expires_at timestamptz
);
create index api_keys_user on asura.api_keys (user_id, created_at);
create index api_keys_expiry on asura.api_keys (expires_at);

create table asura.stream_tickets (
	ticket_hash text primary key check (ticket_hash ~ '^[0-9a-f]{64}$'),
	user_id uuid not null references auth.users (id) on delete cascade,
	-- The session or the key that asked for it: when that ends, the stream ends.
	source_id uuid not null,
	created_at timestamptz not null default now(),
	expires_at timestamptz not null
);
create index stream_tickets_user on asura.stream_tickets (user_id, created_at);
create index stream_tickets_expiry on asura.stream_tickets (expires_at);

alter table asura.api_keys enable row level security;
alter table asura.stream_tickets enable row level security;
