-- How long files of each type and size take, stage by stage, as moving averages: for progress and remaining time.
create table asura.stage_rates (
	file_type text not null,
	-- Half the binary logarithm of the bytes: one more for a file four times as large.
	magnitude integer not null,
	-- 'total' is the whole time, which is less than the sum of stages that overlap.
	stage text not null check (stage in ('compression', 'extraction', 'embedding', 'total')),
	seconds double precision not null check (seconds >= 0),
	samples integer not null default 1,
	primary key (file_type, magnitude, stage)
);
alter table asura.stage_rates enable row level security;
