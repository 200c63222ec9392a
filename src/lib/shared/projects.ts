// Projects as everybody outside the server sees them: files that several people share.
import * as v from 'valibot';
import { KeptText } from './kept-text.ts';

export const roles = ['owner', 'editor', 'viewer'] as const;
export const Role = v.picklist(roles);
/** What a member can be made. */
export const GivenRole = v.picklist(['editor', 'viewer']);

export const projectLimits = {
	/** That one person owns. */
	perPerson: 100,
	members: 100,
	/** That wait for an answer. */
	invitations: 50,
	invitationDays: 14,
	maxNameLength: 100,
	/** Topics that are proposed, accepted or dismissed. */
	proposals: 60
} as const;

const id = v.pipe(v.string(), v.uuid());
const Name = v.pipe(
	v.string(),
	v.trim(),
	v.minLength(1, 'A name is needed.'),
	v.check((name) => [...name].length <= projectLimits.maxNameLength, 'At most 100 characters.'),

	v.check((name) => name.isWellFormed() && !/[\u0000-\u001f\u007f]/.test(name), 'Plain text on one line.')
);

export const Project = v.object({
	id,
	name: v.string(),
	/** Of whoever asks. */
	role: Role,
	file_count: v.number(),
	member_count: v.number(),
	created_at: v.string()
});
export const ProjectsAnswer = v.object({ projects: v.array(Project) });

export const Member = v.object({
	user_id: id,
	email: v.string(),
	name: v.string(),
	role: Role,
	joined_at: v.string()
});
export const MembersAnswer = v.object({ members: v.array(Member) });

export const Invitation = v.object({
	id,
	email: v.string(),
	/** owner: the project is offered to a member, whose storage its files take then. */
	role: Role,
	project: v.object({ id, name: v.string() }),
	created_at: v.string(),
	expires_at: v.string()
});
export const InvitationsAnswer = v.object({ invitations: v.array(Invitation) });

/** Words of a file that a topic was found in. */
export const Support = v.object({
	file_id: id,
	filename: v.string(),
	page: v.nullable(v.number()),
	passage: v.string()
});
export const Proposal = v.object({
	id,
	title: v.string(),
	status: v.picklist(['open', 'accepted', 'dismissed']),
	confidence: v.number(),
	file_count: v.number(),
	/** The best of them. */
	passages: v.array(Support),
	created_at: v.string(),
	updated_at: v.string()
});
export const ProposalsAnswer = v.object({ proposals: v.array(Proposal) });

const Address = v.pipe(
	KeptText,
	v.trim(),
	v.toLowerCase(),
	v.maxLength(254),
	v.regex(/^[^\s@]+@[^\s@]+$/, 'An e-mail address is needed.')
);
export const NewProject = v.object({ name: Name });
export const MemberChange = v.object({ role: GivenRole });
export const NewInvitation = v.object({ email: Address, role: v.optional(Role, 'viewer') });
export const ProposalChange = v.pipe(
	v.object({
		title: v.optional(Name),
		status: v.optional(v.picklist(['open', 'accepted', 'dismissed']))
	}),
	v.check(
		({ title, status }) => title !== undefined || status !== undefined,
		'`title` or `status` is needed.'
	)
);

export const NewProjectJson = v.pipe(v.string(), v.parseJson(), NewProject);
export const MemberChangeJson = v.pipe(v.string(), v.parseJson(), MemberChange);
export const NewInvitationJson = v.pipe(v.string(), v.parseJson(), NewInvitation);
export const ProposalChangeJson = v.pipe(v.string(), v.parseJson(), ProposalChange);

/** A name of an accepted proposal, as a filter. */
export const Tag = v.pipe(KeptText, v.trim(), v.minLength(1), v.maxLength(200));

// GET /api/projects/:projectId/status: these shapes are kept to the letter for clients that exist.
const proposalFields = { proposalId: id, title: v.string(), confidence: v.number(), createdAt: v.string() };
export const StatusMessage = v.variant('type', [
	v.object({ type: v.literal('connected'), message: v.string() }),
	v.object({
		type: v.literal('status_update'),
		/** The file's id. */
		sourceId: id,
		status: v.string(),
		sourceName: v.string(),
		updatedAt: v.string()
	}),
	v.object({
		type: v.literal('progress_update'),
		/** The file's id: a file has one job. */
		jobId: id,
		progress: v.object({
			stage: v.string(),
			current: v.number(),
			total: v.number(),
			message: v.string(),
			/** Milliseconds since 1970. */
			timestamp: v.number()
		})
	}),
	v.object({ type: v.literal('new_proposal'), ...proposalFields }),
	v.object({ type: v.literal('proposal_update'), ...proposalFields }),
	v.object({ type: v.literal('proposal_deleted'), proposalId: id })
]);

export type Role = v.InferOutput<typeof Role>;
export type GivenRole = v.InferOutput<typeof GivenRole>;
export type Project = v.InferOutput<typeof Project>;
export type Member = v.InferOutput<typeof Member>;
export type Invitation = v.InferOutput<typeof Invitation>;
export type Support = v.InferOutput<typeof Support>;
export type Proposal = v.InferOutput<typeof Proposal>;
export type ProposalChange = v.InferOutput<typeof ProposalChange>;
export type StatusMessage = v.InferOutput<typeof StatusMessage>;
