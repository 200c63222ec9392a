-- A project can be offered to one of its members: an invitation to be its owner.
alter table asura.project_invitations
	drop constraint project_invitations_role_check,
	add constraint project_invitations_role_check check (role in ('owner', 'editor', 'viewer'));
